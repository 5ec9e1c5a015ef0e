import { mapConcurrent } from "../lib/concurrency.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { ManifestUnknown, Unsupported } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import { readContent } from "./content.ts";
import type { RegistryContext } from "./context.ts";
import { listDigests } from "./digest-folders.ts";
import { readLink, writeLink } from "./links.ts";
import type { SignatureService } from "./registry.ts";
import { readRevision } from "./revision.ts";

/** Bytes of one signature, with its certificates. */
const LIMIT = 256 * 1024;

/** Signatures read of one manifest, and at once. */
const [MOST, CONCURRENCY] = [64, 16];

/** @see manifests, section 7; storage-layout, section 1, "signature link" */
export class StoredSignatureService implements SignatureService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async get(digest: Digest): Promise<readonly Uint8Array[]> {
    const folder = this.#context.paths.signatures(this.#repository, digest);
    const links = (await listDigests(this.#context, (algorithm) => `${folder}/${algorithm}`)).sort().slice(0, MOST);
    const found = await mapConcurrent(links, CONCURRENCY, (signature) => this.#read(digest, signature));
    return found.filter((signature) => signature !== undefined);
  }

  async put(digest: Digest, ...signatures: readonly Uint8Array[]): Promise<void> {
    const { kinds, locks } = this.#context;
    await locks.shared(this.#repository, async () => {
      const payload = await readRevision(this.#context, this.#repository, digest);
      if (payload === undefined) {
        throw new ManifestUnknown(`unknown manifest name=${this.#repository} revision=${digest}`);
      }
      const mediaType = kinds.mediaTypeOf(payload);
      const signing = kinds.signingOf(mediaType);
      if (!signing) throw new Unsupported(`manifests of the type ${mediaType} have no signatures`);
      await signing.verify({ payload, signatures });
      for (const signature of signatures) await this.#write(digest, signature);
    });
  }

  /** The collectors of the peers take the bytes away, because nothing there refers to them any more. */
  async #read(digest: Digest, signature: Digest): Promise<Uint8Array | undefined> {
    const { driver, paths } = this.#context;
    const target = await readLink(driver, paths.signatureLink(this.#repository, digest, signature));
    const content = target && (await readContent(this.#context, target, LIMIT));
    return content === "damaged" ? undefined : content;
  }

  async #write(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { driver, paths } = this.#context;
    const signature = digestOf(bytes);
    await driver.putContent(paths.blob(signature), bytes);
    await writeLink(driver, paths.signatureLink(this.#repository, digest, signature), signature);
  }
}
