import { Budget } from "../lib/budget.ts";
import { isTarsumDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { ManifestInvalid } from "../oci/errors.ts";
import type { ManifestSigning } from "../oci/manifest-kind.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { ConvertedManifest } from "../oci/schema1/conversion.ts";
import { readContent } from "./content.ts";
import type { RegistryContext } from "./context.ts";
import type { Schema1Conversion, StoredManifest, UnsignedManifest } from "./registry.ts";

/** Bytes of a configuration that is read whole; the usual ones have some ten thousand. */
const CONFIG_LIMIT = 1024 * 1024;

/** Bytes of the payloads that this process makes at once. Each takes some times as much for a moment. */
const payloads = new Budget(8 * 1024 * 1024);

/** @see manifests, section 5.4 */
export class StoredSchema1Conversion implements Schema1Conversion {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;
  readonly #signing: ManifestSigning;

  constructor(context: RegistryContext, repository: RepositoryName, signing: ManifestSigning) {
    this.#context = context;
    this.#repository = repository;
    this.#signing = signing;
  }

  async convert(image: StoredManifest, tag: Tag): Promise<UnsignedManifest> {
    const { config, layers } = this.#context.kinds.read(image.bytes);
    if (image.mediaType !== MediaType.dockerManifest || !config) {
      throw new ManifestInvalid(
        `what is tagged ${tag} cannot be converted to schema 1, and this client accepts nothing newer`,
      );
    }
    const { payload, digest, needsEmptyLayer } = await this.#convert(config.digest, layers, tag);
    if (needsEmptyLayer) await this.#provideEmptyLayer();
    return { digest, sign: () => this.#sign(payload, digest) };
  }

  async #convert(config: Digest, layers: readonly BlobDescriptor[], tag: Tag): Promise<ConvertedManifest> {
    const found = await this.#context.blobs.findStored(this.#repository, config);
    if (found === undefined || isTarsumDigest(found.target)) throw missing(config);
    if (found.size > CONFIG_LIMIT) {
      throw new ManifestInvalid(
        `the configuration has ${found.size} bytes: up to ${CONFIG_LIMIT} can be converted to schema 1`,
      );
    }
    const { longestPayload, toSchema1 } = await import("../oci/schema1/conversion.ts");
    using _ = await payloads.take(longestPayload(found.size));
    return toSchema1({ layers }, await this.#readConfig(config, found.target), this.#repository, tag);
  }

  /** Checked: a manifest of damaged bytes would be named by a digest and signed like any other. */
  async #readConfig(config: Digest, target: Digest): Promise<Uint8Array> {
    const content = await readContent(this.#context, target, CONFIG_LIMIT);
    if (content === undefined) throw missing(config);
    if (content === "damaged") throw new ManifestInvalid(`the configuration ${config} is damaged`);
    return content;
  }

  async #provideEmptyLayer(): Promise<void> {
    const { driver, paths, blobs, options } = this.#context;
    const { digest, bytes } = (await import("../oci/schema1/conversion.ts")).EMPTY_LAYER;
    if (await blobs.findStored(this.#repository, digest)) return;
    if (options.readOnly) {
      throw new ManifestInvalid(`schema 1 needs the empty layer ${digest} here, and this registry is read-only`);
    }
    await driver.putContent(paths.blob(digest), bytes);
    await blobs.write(this.#repository, digest, { target: digest, size: bytes.length });
  }

  async #sign(payload: Uint8Array, digest: Digest): Promise<StoredManifest> {
    using _ = await payloads.take(payload.length);
    const bytes = await this.#signing.print({ payload, signatures: [] });
    return { digest, mediaType: MediaType.dockerSchema1Signed, bytes };
  }
}

function missing(config: Digest): ManifestInvalid {
  return new ManifestInvalid(`the configuration ${config} is not here`);
}
