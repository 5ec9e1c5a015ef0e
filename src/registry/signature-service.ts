import { mapConcurrent } from "../lib/concurrency.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { ManifestInvalid, Unsupported } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import { readContent } from "./content.ts";
import type { RegistryContext } from "./context.ts";
import { listDigests } from "./digest-folders.ts";
import { readLink, writeLink } from "./links.ts";
import type { SignatureService } from "./registry.ts";
import { readRevision, unknownRevision } from "./revision.ts";

/** Bytes of one signature, with its certificates. */
const LONGEST_SIGNATURE = 256 * 1024;

/** Signatures of one manifest; no more can be pushed with it either. */
const MOST_SIGNATURES = 32;

/** Signatures read at once. */
const CONCURRENCY = 16;

/** @see manifests, section 7; storage-layout, section 1, "signature link" */
export class StoredSignatureService implements SignatureService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async get(digest: Digest): Promise<readonly Uint8Array[]> {
    const links = (await this.#list(digest)).sort().slice(0, MOST_SIGNATURES);
    const found = await mapConcurrent(links, CONCURRENCY, (signature) => this.#read(digest, signature));
    return found.filter((signature) => signature !== undefined);
  }

  async put(digest: Digest, ...signatures: readonly Uint8Array[]): Promise<void> {
    const { locks } = this.#context;
    const add = async (): Promise<void> => {
      const verified = await this.#verify(digest, signatures);
      await this.#checkNumber(digest, verified);
      for (const signature of verified) await this.#write(digest, signature);
    };
    await locks.shared(this.#repository, () => locks.exclusive(`${this.#repository}:${digest}`, add));
  }

  /** @returns them as they are to be stored */
  async #verify(digest: Digest, signatures: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const { kinds } = this.#context;
    const payload = await readRevision(this.#context, this.#repository, digest);
    if (payload === undefined) throw unknownRevision(this.#repository, digest);
    const mediaType = kinds.mediaTypeOf(payload);
    const signing = kinds.signingOf(mediaType);
    if (!signing) throw new Unsupported(`manifests of the type ${mediaType} have no signatures`);
    if (signatures.length === 0) return [];
    if (signatures.length > MOST_SIGNATURES) throw tooMany();
    const verified = await signing.verify({ payload, signatures });
    const longest = Math.max(...verified.map(({ length }) => length));
    if (longest <= LONGEST_SIGNATURE) return verified;
    throw new ManifestInvalid(`a signature may have at most ${LONGEST_SIGNATURE} bytes, not ${longest}`);
  }

  /** One that is there already is one, and may be written anew. */
  async #checkNumber(digest: Digest, signatures: readonly Uint8Array[]): Promise<void> {
    const there = new Set(await this.#list(digest));
    const added = new Set(signatures.map((signature) => digestOf(signature))).difference(there);
    if (added.size > 0 && there.size + added.size > MOST_SIGNATURES) throw tooMany();
  }

  /** In no order, those included whose bytes are gone. */
  #list(digest: Digest): Promise<Digest[]> {
    const folder = this.#context.paths.signatures(this.#repository, digest);
    return listDigests(this.#context, (algorithm) => `${folder}/${algorithm}`);
  }

  /** The collectors of the peers take the bytes away, because nothing there refers to them any more. */
  async #read(digest: Digest, signature: Digest): Promise<Uint8Array | undefined> {
    const { driver, paths } = this.#context;
    const target = await readLink(driver, paths.signatureLink(this.#repository, digest, signature));
    const content = target && (await readContent(this.#context, target, LONGEST_SIGNATURE));
    return content === "damaged" ? undefined : content;
  }

  async #write(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { driver, paths } = this.#context;
    const signature = digestOf(bytes);
    await driver.putContent(paths.blob(signature), bytes);
    await writeLink(driver, paths.signatureLink(this.#repository, digest, signature), signature);
  }
}

function tooMany(): ManifestInvalid {
  return new ManifestInvalid(`a manifest may have at most ${MOST_SIGNATURES} signatures here`);
}
