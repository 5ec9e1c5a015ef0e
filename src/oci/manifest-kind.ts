import { type BlobDescriptor, type Descriptor, readDescriptor } from "./descriptor.ts";
import {
  clip,
  type FaultHandler,
  type JsonObject,
  nameOf,
  nameOfNumber,
  type Origin,
  optionalArray,
  optionalString,
  optionalStringMap,
  present,
} from "./json-fields.ts";
import type { RepositoryName, Tag } from "./names.ts";

/** A row of the table of kinds: the media types of one family, and how its documents are read. */
export interface ManifestKind {
  /** Each `type/subtype` in lower case. */
  readonly mediaTypes: readonly [string, ...string[]];

  /**
   * @param document with its known keys spelt right
   * @param mediaType one of {@link mediaTypes}
   * @param onFault told of each fault: it throws for a manifest that is pushed and overlooks those of a stored one
   */
  parse(document: JsonObject, mediaType: string, onFault: FaultHandler, origin: Origin): ManifestContents;

  /**
   * Whether a document is of this kind, for one that does not state a `schemaVersion` of 2 and its type: what it states then
   * counts for nothing, and it is served under the first of {@link mediaTypes}.
   * @param document as it is stored; also as it is pushed, where neither the client nor the document names a type
   */
  recognises?(document: JsonObject): boolean;

  /** Why clients may not push such documents, where they may not. Stored ones are served in any case. */
  readonly refusal?: string;

  /** Of a kind whose documents are signed; they are served under the first of {@link mediaTypes}, which their payload states. */
  readonly signing?: ManifestSigning;
}

/** How a document that clients push and pull comes of what is stored, and the reverse. */
export interface ManifestSigning {
  /**
   * @param fields what the document says as a whole, its signatures among it
   * @throws {ManifestInvalid} where the document cannot be taken apart
   */
  open(document: Uint8Array, fields: JsonObject): SignedContent;

  /**
   * Every signature must hold.
   * @returns them as they are stored: one signature is the same bytes, however it was written
   * @throws {ManifestInvalid}
   * @throws {ManifestUnverified}
   */
  verify(content: SignedContent): Promise<readonly Uint8Array[]>;

  /** The document with those of the signatures that fit it; where none does, the registry signs. */
  print(content: SignedContent): Promise<Uint8Array>;
}

export interface SignedContent {
  /** What is signed, stored and named by a digest. */
  readonly payload: Uint8Array;
  /** Each as it is stored on its own. */
  readonly signatures: readonly Uint8Array[];
}

/** What a manifest says, whatever its kind. */
export interface ManifestContents {
  /** Image manifests. */
  readonly config?: Descriptor;
  /** Image manifests; empty for indexes. */
  readonly layers: readonly BlobDescriptor[];
  /** Children of an index; empty for image manifests. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  /** As a referrers list shows it: `artifactType`, else, for an image manifest, the type of its config. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where it says of itself that it belongs. */
  readonly place?: ManifestPlace;
}

export interface ManifestPlace {
  readonly repository: RepositoryName;
  /** Empty where it was pushed by its digest. */
  readonly tag: Tag | "";
}

/**
 * The type that a document states of itself; empty and `null` are as good as none.
 * @param noun what the peers call such a document
 */
export function checkMediaType(
  document: JsonObject,
  expected: string,
  { noun, optional }: { readonly noun: string; readonly optional: boolean },
  onFault: FaultHandler,
): void {
  const stated = optionalString(document["mediaType"], "mediaType", onFault) ?? "";
  if (stated === expected || (optional && stated === "")) return;
  onFault(`${optional ? "if present, " : ""}mediaType in ${noun} should be '${expected}' not '${clip(stated)}'`);
}

export function checkSchemaVersion(document: JsonObject, onFault: FaultHandler): void {
  const version = document["schemaVersion"];
  if (version === 2) return;
  onFault(`schemaVersion must be the number 2, not ${nameOfNumber(version)}`);
}

/** The descriptors under a key that must be there; `null` is an empty array. */
export function readDescriptors(document: JsonObject, key: string, onFault: FaultHandler): readonly Descriptor[] {
  const value = document[key];
  if (value === undefined) onFault(`${key} is missing: expected an array of descriptors, which may be empty`);
  const items = optionalArray(value, key, onFault) ?? [];
  return items.flatMap((item, index) => requireDescriptor(item, `${key}[${index}]`, onFault) ?? []);
}

export function requireDescriptor(value: unknown, path: string, onFault: FaultHandler): Descriptor | undefined {
  if (value === undefined || value === null) return onFault(`${path} must be a descriptor, not ${nameOf(value)}`);
  return readDescriptor(value, path, onFault);
}

/**
 * What makes an OCI document a referrer. Docker's kinds have nothing of that sort.
 * @see OCI distribution-spec 1.1, "Listing Referrers"
 */
export function readReferrerFields(
  document: JsonObject,
  onFault: FaultHandler,
): Pick<ManifestContents, "subject" | "artifactType" | "annotations"> {
  return present({
    subject: readDescriptor(document["subject"], "subject", onFault),
    artifactType: optionalString(document["artifactType"], "artifactType", onFault) || undefined,
    annotations: optionalStringMap(document["annotations"], "annotations", onFault),
  });
}
