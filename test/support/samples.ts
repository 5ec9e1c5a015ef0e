import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Platform } from "../../src/oci/descriptor.ts";
import { applyLayer, copyDebianPackages, describeTree, type FileTree, writeOddities } from "./file-tree.ts";
import { artifactOf, type Image, imageOf, indexOf, layerOf, layerOfArchive, noise } from "./image.ts";

/** The images that the suites push; `files` is what unpacking `oci`, `docker`, `zstd` and `amd64` must give. */
export interface Samples {
  readonly files: FileTree;
  /** Two gzip layers, the second changing and removing files of the first. */
  readonly oci: Image;
  readonly docker: Image;
  /** The same layers compressed with zstd. */
  readonly zstd: Image;
  readonly layerless: Image;
  /** An index of `amd64` and `arm64`. */
  readonly index: Image;
  /** The same two images in Docker's formats. */
  readonly dockerList: Image;
  readonly amd64: Image;
  readonly arm64: Image;
  /** Refers to `oci`. */
  readonly artifact: Image;
}

export const ARTIFACT_TYPE = "application/vnd.example.signature.v1";
export const AMD64: Platform = { architecture: "amd64", os: "linux" };
export const ARM64: Platform = { architecture: "arm64", os: "linux" };

/** Makes the samples from files of Debian packages that every Debian has, and from {@link writeOddities}. */
export async function makeSamples(folder: string): Promise<Samples> {
  const [base, change] = [join(folder, "base"), join(folder, "change")];
  await copyDebianPackages(base, "grep", "gzip", "sed");
  await writeOddities(base);
  await writeChange(change);
  await applyLayer(base, change, join(folder, "whole"));
  const files = await describeTree(join(folder, "whole"));
  const layers = [await layerOf(base), await layerOf(change)];
  const oci = imageOf(layers, { platform: AMD64 });
  const zstd = imageOf([await layerOf(base, "zstd"), await layerOf(change, "zstd")]);
  const arm64Layers = [await layerOf(change)];
  return {
    files,
    oci,
    zstd,
    ...variants(layers, arm64Layers),
    artifact: artifactOf(oci, ARTIFACT_TYPE, noise(999, 7)),
  };
}

type Variants = Omit<Samples, "files" | "oci" | "zstd" | "artifact">;

function variants(amd64Layers: Parameters<typeof imageOf>[0], arm64Layers: typeof amd64Layers): Variants {
  const [amd64, arm64] = [imageOf(amd64Layers, { platform: AMD64 }), imageOf(arm64Layers, { platform: ARM64 })];
  const docker = imageOf(amd64Layers, { platform: AMD64, format: "docker" });
  const dockerArm64 = imageOf(arm64Layers, { platform: ARM64, format: "docker" });
  return {
    docker,
    layerless: imageOf([]),
    index: indexOf([
      [amd64, AMD64],
      [arm64, ARM64],
    ]),
    dockerList: indexOf(
      [
        [docker, AMD64],
        [dockerArm64, ARM64],
      ],
      "docker",
    ),
    amd64,
    arm64,
  };
}

/** One layer of so many bytes, which no compression shrinks and no archive holds. */
export function bulkyImage(size: number, seed: number): Image {
  return imageOf([layerOfArchive(noise(size, seed), "none")]);
}

async function writeChange(folder: string): Promise<void> {
  await mkdir(join(folder, "odd"), { recursive: true });
  await writeFile(join(folder, "plain.txt"), "changed by the second layer\n");
  await writeFile(join(folder, "odd/added"), "added by the second layer\n");
  await writeFile(join(folder, "odd/.wh.plain.txt"), "");
}
