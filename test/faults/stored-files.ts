import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { algorithmOf, type Digest, digestOf, encodedOf, isDigest, isDigestAlgorithm } from "../../src/oci/digest.ts";

/** What lies in a registry's directory, looked at behind its back. */
export class StoredFiles {
  readonly #root: string;

  /** @param rootDirectory of the storage driver */
  constructor(rootDirectory: string) {
    this.#root = join(rootDirectory, "docker/registry/v2");
  }

  blob(digest: Digest): string {
    const hex = encodedOf(digest);
    return join(this.#root, "blobs", algorithmOf(digest), hex.slice(0, 2), hex, "data");
  }

  repository(name: string, ...below: readonly string[]): string {
    return join(this.#root, "repositories", name, ...below);
  }

  tagLink(name: string, tag: string): string {
    return this.repository(name, "_manifests/tags", tag, "current/link");
  }

  uploadData(name: string, id: string): string {
    return this.repository(name, "_uploads", id, "data");
  }

  revisionLink(name: string, digest: Digest): string {
    return this.repository(name, "_manifests/revisions", algorithmOf(digest), encodedOf(digest), "link");
  }

  layerLink(name: string, digest: Digest): string {
    return this.repository(name, "_layers", algorithmOf(digest), encodedOf(digest), "link");
  }

  /** Every blob has the digest that its path says, and every link names a digest whose bytes are there. */
  async expectWhole(): Promise<void> {
    for (const file of await this.#filesBelow("blobs", "data")) {
      const folder = dirname(file);
      const algorithm = basename(dirname(dirname(folder)));
      assert.ok(isDigestAlgorithm(algorithm));
      assert.equal(digestOf(await readFile(file), algorithm), `${algorithm}:${basename(folder)}`);
    }
    for (const file of await this.#filesBelow("repositories", "link")) {
      const digest = await readFile(file, "latin1");
      assert.ok(isDigest(digest), `${file} holds ${JSON.stringify(digest)}`);
      assert.ok(existsSync(this.blob(digest)), `${file} names bytes that are not there`);
    }
  }

  async #filesBelow(folder: string, name: string): Promise<string[]> {
    if (!existsSync(join(this.#root, folder))) return [];
    const entries = await readdir(join(this.#root, folder), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && entry.name === name).map((e) => join(e.parentPath, e.name));
  }
}
