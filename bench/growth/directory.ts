/**
 * A registry's directory with many of one kind in it, written as `src/registry/paths.ts` draws it and not pushed. Links that
 * say the same are one file with many names.
 */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, digestOf, toDigest } from "../../src/oci/digest.ts";
import { parseRepositoryName, parseTag, type RepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { manifestOf } from "../speed/content.ts";

const KIB = 1024;

/** A file has at most 65,000 names on ext4. */
const NAMES = 30_000;

/** The repository that is read, and the one image in it. */
export interface Image {
  readonly name: RepositoryName;
  readonly tag: string;
  readonly blob: Digest;
  readonly size: number;
}

export class GrowthDirectory {
  readonly image: Image;
  readonly #data: string;
  readonly #paths = new PathMapper();
  readonly #manifest: Buffer;
  /** By what they say. */
  readonly #links = new Map<string, { readonly file: string; names: number }>();
  #counts = { tags: 1, repositories: 1, blobs: 1 };

  /** @param folder of the server */
  constructor(folder: string) {
    this.#data = join(folder, "data");
    const blob = Buffer.alloc(KIB, "b");
    const name = parseRepositoryName("grown/app");
    this.image = { name, tag: "v0", blob: digestOf(blob), size: blob.length };
    this.#manifest = manifestOf({ digest: this.image.blob, size: blob.length }, []);
    this.#write(this.#paths.blob(this.image.blob), blob);
    this.#write(this.#paths.blob(digestOf(this.#manifest)), this.#manifest);
    this.#addLink(this.#paths.layerLink(name, this.image.blob), this.image.blob);
    this.#addLink(this.#paths.revisionLink(name, digestOf(this.#manifest)), digestOf(this.#manifest));
    this.#addTag(this.image.tag);
  }

  /** Tags of the image's manifest, without the history of what they named before. @param total with those that are there */
  growTags(total: number): void {
    for (; this.#counts.tags < total; this.#counts.tags++) this.#addTag(`v${this.#counts.tags}`);
  }

  /** A hundred in a folder; all but the image's hold nothing but their own folders. */
  growRepositories(total: number): void {
    for (; this.#counts.repositories < total; this.#counts.repositories++) {
      const number = this.#counts.repositories;
      const name = parseRepositoryName(`group-${Math.floor(number / 100)}/project-${number % 100}`);
      for (const folder of ["_layers", "_manifests"]) {
        mkdirSync(join(this.#data, this.#paths.repository(name), folder), { recursive: true });
      }
    }
  }

  /** Blobs of the image's repository whose bytes are not what their digests say: nobody reads them. */
  growBlobs(total: number): void {
    for (; this.#counts.blobs < total; this.#counts.blobs++) {
      const digest = toDigest("sha256", createHash("sha256").update(`blob ${this.#counts.blobs}`).digest("hex"));
      this.#write(this.#paths.layerLink(this.image.name, digest), digest);
      this.#addLink(this.#paths.blob(digest), "bytes");
    }
  }

  /** To the image's repository. @param file its bytes, which get another name */
  addBlob(file: string, digest: Digest): void {
    const path = join(this.#data, this.#paths.blob(digest));
    mkdirSync(dirname(path), { recursive: true });
    linkSync(file, path);
    this.#addLink(this.#paths.layerLink(this.image.name, digest), digest);
  }

  #addTag(tag: string): void {
    this.#addLink(this.#paths.tagCurrent(this.image.name, parseTag(tag)), digestOf(this.#manifest));
  }

  #addLink(path: string, text: string): void {
    const known = this.#links.get(text);
    const file = join(this.#data, path);
    if (!known || known.names >= NAMES) {
      this.#write(path, text);
      this.#links.set(text, { file, names: 1 });
    } else {
      mkdirSync(dirname(file), { recursive: true });
      linkSync(known.file, file);
      known.names += 1;
    }
  }

  #write(path: string, content: Buffer | string): void {
    const file = join(this.#data, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
