import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodedOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import type { Content, Image } from "./image.ts";

/**
 * Writes images as the folder that clients read with `oci:FOLDER:TAG`.
 * @see OCI image-spec 1.1, image-layout.md
 */
export async function writeOciLayout(folder: string, images: Readonly<Record<string, Image>>): Promise<void> {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  for (const image of Object.values(images)) await writeImage(folder, image);
  const manifests = Object.entries(images).map(([tag, image]) => ({
    ...image.manifest.descriptor,
    annotations: { "org.opencontainers.image.ref.name": tag },
  }));
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
}

async function writeImage(folder: string, image: Image): Promise<void> {
  for (const child of image.children) await writeImage(folder, child);
  for (const content of [...image.blobs, image.manifest]) await writeContent(folder, content);
}

async function writeContent(folder: string, content: Content): Promise<void> {
  await writeFile(join(folder, "blobs/sha256", encodedOf(content.descriptor.digest)), content.bytes);
}
