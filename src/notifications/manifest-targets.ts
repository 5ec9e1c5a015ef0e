import type { BlobDescriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseJsonObject } from "../oci/json-object.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { ManifestContents } from "../oci/manifest-kind.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import type { StoredManifest } from "../registry/registry.ts";
import type { EventTarget } from "./event.ts";
import type { Observer } from "./observer.ts";

/** What events say of the manifests of one repository, and of its blobs. */
export class ManifestTargets {
  readonly #repository: RepositoryName;
  readonly #observer: Observer;

  constructor(repository: RepositoryName, observer: Observer) {
    this.#repository = repository;
    this.#observer = observer;
  }

  ofPushed(manifest: Manifest, digest: Digest, tag?: Tag): EventTarget {
    const { mediaType, bytes } = manifest;
    const references = this.#observer.options.references ? referencesOf(manifest) : undefined;
    return this.#target({ mediaType, digest, size: bytes.length }, tag, references);
  }

  /** Of a signed manifest, what its digest covers counts. */
  ofStored({ mediaType, digest, bytes }: StoredManifest, tag: Tag | undefined): EventTarget {
    const { kinds, references } = this.#observer.options;
    const signing = kinds.signingOf(mediaType);
    const payload = signing ? signing.open(bytes, parseJsonObject(bytes, "stored")).payload : bytes;
    const content = { mediaType, digest, size: payload.length };
    return this.#target(content, tag, references ? referencesOf(kinds.read(payload)) : undefined);
  }

  ofBlob(digest: Digest, size: number): EventTarget {
    const url = `${this.#observer.base}v2/${this.#repository}/blobs/${digest}`;
    return { repository: this.#repository, content: { mediaType: MediaType.octetStream, digest, size }, url };
  }

  #target(
    content: NonNullable<EventTarget["content"]>,
    tag: Tag | undefined,
    references: readonly BlobDescriptor[] | undefined,
  ): EventTarget {
    const url = `${this.#observer.base}v2/${this.#repository}/manifests/${content.digest}`;
    return {
      repository: this.#repository,
      content,
      url,
      ...(tag !== undefined && { tag }),
      ...(references && { references }),
    };
  }
}

function referencesOf({ config, layers, manifests }: ManifestContents): readonly BlobDescriptor[] {
  return [...(config ? [config] : []), ...layers, ...manifests];
}
