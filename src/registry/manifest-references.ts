/**
 * What a manifest points at must be there before it is stored.
 *
 * @see manifests, section 4, "Reference checks at PUT"
 */
import { mapConcurrent } from "../lib/concurrency.ts";
import { type BlobDigest, isTarsumDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor, Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { ManifestBlobUnknown, ManifestInvalid, type RegistryError, RegistryErrors } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import { MediaType } from "../oci/media-types.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { FoundBlob } from "./blob-link.ts";
import type { RegistryContext } from "./context.ts";
import type { ReferenceRules } from "./reference-rules.ts";
import { type UrlPolicy, urlProblem } from "./url-policy.ts";

/** References looked up at once. */
const CONCURRENCY = 32;

/**
 * @returns what is odd about references that may stay as they are, as sentences
 * @throws {RegistryErrors} naming every reference that is missing or not allowed, in the order of the document
 */
export async function checkReferences(
  context: RegistryContext,
  repository: RepositoryName,
  manifest: Manifest,
): Promise<readonly string[]> {
  const references = toReferences(manifest, context.options.references);
  const holdings = new Holdings(context, repository);
  const found = await mapConcurrent(references, CONCURRENCY, (reference) => reference.find(holdings));
  const errors = references.flatMap((reference, index): RegistryError[] => {
    if (reference.problems.length === 0 && (found[index] !== "missing" || reference.optional)) return [];
    const problems = reference.problems.map((problem) => new ManifestInvalid(problem));
    return [...problems, new ManifestBlobUnknown(reference.digest)];
  });
  const [first, ...rest] = errors;
  if (first) throw new RegistryErrors([first, ...rest]);
  return references.flatMap(({ digest }, index) => {
    if (found[index] === "missing") return [`${digest} is not in this repository yet`];
    return found[index] === "other size" ? [`${digest} has another size than the manifest states`] : [];
  });
}

interface Reference {
  readonly digest: string;
  readonly problems: readonly string[];
  /** May be missing. */
  readonly optional?: boolean;
  readonly find: Lookup;
}

type Lookup = (holdings: Holdings) => Promise<"there" | "missing" | "other size">;

function toReferences(manifest: Manifest, rules: ReferenceRules): Reference[] {
  const { config } = manifest;
  return [
    ...(config ? [{ digest: config.digest, problems: [], find: blob(config) }] : []),
    ...manifest.layers.map((layer) => layerReference(manifest, layer, rules.urls)),
    ...manifest.manifests.map((child) => ({
      digest: child.digest,
      problems: [],
      optional: !rules.requiresChild(child),
      find: revision(child),
    })),
  ];
}

function layerReference(manifest: Manifest, layer: BlobDescriptor, policy: UrlPolicy): Reference {
  const { digest } = layer;
  const urls = layer.urls ?? [];
  if (manifest.mediaType === MediaType.dockerManifest) {
    if (layer.mediaType === MediaType.dockerForeignLayer) {
      const problems = urls.length === 0 ? [`missing URL on layer ${digest}`] : urlProblems(policy, layer, "foreign");
      return { digest, problems, find: elsewhere };
    }
    return { digest, problems: [], find: layer.mediaType === manifest.mediaType ? both(layer) : blob(layer) };
  }
  switch (layer.mediaType) {
    case MediaType.ociLayer:
    case MediaType.ociLayerGzip:
      return { digest, problems: urlProblems(policy, layer, "nondistributable"), find: blob(layer) };
    case MediaType.ociNondistributable:
    case MediaType.ociNondistributableGzip: {
      const find = urls.length > 0 ? elsewhere : blob(layer);
      return { digest, problems: urlProblems(policy, layer, "nondistributable"), find };
    }
    case MediaType.ociManifest:
      return { digest, problems: [], find: both(layer) };
    default:
      return { digest, problems: [], find: blob(layer) };
  }
}

function urlProblems(policy: UrlPolicy, layer: BlobDescriptor, kind: "foreign" | "nondistributable"): string[] {
  return (layer.urls ?? []).flatMap((url) => {
    const problem = urlProblem(policy, url, kind);
    return problem === undefined ? [] : [`invalid URL on layer ${layer.digest}: ${JSON.stringify(url)} ${problem}`];
  });
}

const elsewhere: Lookup = () => Promise.resolve("there");

function blob({ digest, size, mediaType }: BlobDescriptor): Lookup {
  const mayDiffer = mediaType === MediaType.dockerSchema1Layer; // its manifests state no sizes
  return async (holdings) => {
    const found = await holdings.blobSize(digest);
    if (found === undefined) return "missing";
    return found === size || mayDiffer ? "there" : "other size";
  };
}

function revision({ digest }: Descriptor): Lookup {
  return async (holdings) => ((await holdings.hasRevision(digest)) ? "there" : "missing");
}

function both(descriptor: BlobDescriptor): Lookup {
  const { digest } = descriptor;
  return async (holdings) => {
    const asBlob = await blob(descriptor)(holdings);
    return !isTarsumDigest(digest) && (await holdings.hasRevision(digest)) ? asBlob : "missing";
  };
}

/**
 * What a repository holds. Each thing is looked up once, however often a manifest names it: in the storage, because what is
 * stored now must not point at what somebody else has deleted, or in the cache where nobody else can.
 */
class Holdings {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;
  readonly #sizes: Map<BlobDigest, Promise<number | undefined>> = new Map();
  readonly #revisions: Map<Digest, Promise<boolean>> = new Map();

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  blobSize(digest: BlobDigest): Promise<number | undefined> {
    return once(this.#sizes, digest, async () => (await this.#findBlob(digest))?.size);
  }

  hasRevision(digest: Digest): Promise<boolean> {
    const { revisions, options } = this.#context;
    return once(this.#revisions, digest, async () => {
      if (options.exclusive) return await revisions.has(this.#repository, digest);
      return (await revisions.read(this.#repository, digest)) !== undefined;
    });
  }

  #findBlob(digest: BlobDigest): Promise<FoundBlob | undefined> {
    const { blobs, options } = this.#context;
    return options.exclusive ? blobs.find(this.#repository, digest) : blobs.findStored(this.#repository, digest);
  }
}

function once<K, T>(known: Map<K, Promise<T>>, digest: K, look: () => Promise<T>): Promise<T> {
  const result = known.get(digest) ?? look();
  known.set(digest, result);
  return result;
}
