/**
 * An image of schema 2 as schema 1, for clients that know nothing newer. The result is byte for byte that of the
 * peers, so that its digest is too.
 *
 * @see manifests, section 5.4
 */
import { hash } from "node:crypto";
import type { BlobDigest } from "../blob-digest.ts";
import { type Digest, digestOf, toDigest } from "../digest.ts";
import { ManifestInvalid } from "../errors.ts";
import { MANIFEST_LIMIT } from "../manifest.ts";
import type { ManifestContents } from "../manifest-kind.ts";
import type { RepositoryName, Tag } from "../names.ts";
import { toGoJson } from "./go-json.ts";
import { type HistoryEntry, type ImageConfig, parseImageConfig } from "./image-config.ts";

export interface ConvertedManifest {
  /** To be signed. */
  readonly payload: Uint8Array;
  /** Over the payload. */
  readonly digest: Digest;
  /** Whether it names {@link EMPTY_LAYER}, which then must be in the repository. */
  readonly needsEmptyLayer: boolean;
}

/** A tar without entries, packed by gzip as the peers have it: what a step that changed no file is given as its layer. */
export const EMPTY_LAYER: { readonly digest: Digest; readonly bytes: Uint8Array } = {
  digest: toDigest("sha256", "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"),
  bytes: Buffer.from("1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000", "hex"),
};

/** An image has some tens of them, and Docker of that time no more than 127 layers. */
const MOST_STEPS = 1000;

/** Bytes that a step becomes without its texts, and those that one byte of a text can become. */
const [STEP, GROWTH] = [600, "\\\\u003c".length];

/**
 * How long the payload can become. Bytes
 * @param size of the configuration. Bytes
 */
export function longestPayload(size: number): number {
  return Math.min(MANIFEST_LIMIT, GROWTH * size + MOST_STEPS * STEP);
}

/**
 * @param manifest of one image
 * @param config the bytes of its configuration
 * @throws {ManifestInvalid} where the image cannot be converted, such as one without a history
 */
export function toSchema1(
  manifest: Pick<ManifestContents, "layers">,
  config: Uint8Array,
  name: RepositoryName,
  tag: Tag,
): ConvertedManifest {
  const image = parseImageConfig(config);
  const steps = toSteps(
    image,
    manifest.layers.map(({ digest }) => digest),
  );
  const history = collect(toHistory(image, steps, config));
  const document = {
    schemaVersion: 1,
    name,
    tag,
    architecture: image.architecture,
    fsLayers: steps.map(({ blobSum }) => ({ blobSum })).reverse(),
    history: history.map((v1Compatibility) => ({ v1Compatibility })).reverse(),
  };
  const payload = Buffer.from(toGoJson(document, "   "));
  if (payload.length > MANIFEST_LIMIT) throw tooLong();
  return { payload, digest: digestOf(payload), needsEmptyLayer: steps.some(({ entry }) => entry.emptyLayer) };
}

/** A line of the history with the layer that it made. */
interface Step {
  readonly entry: HistoryEntry;
  readonly blobSum: BlobDigest;
}

/** Oldest first. */
function toSteps({ history, diffIds }: ImageConfig, layers: readonly BlobDigest[]): readonly [Step, ...Step[]] {
  if (diffIds !== layers.length) {
    throw new ManifestInvalid(`the configuration speaks of ${diffIds} layers, the manifest of ${layers.length}`);
  }
  if (history.length > MOST_STEPS) {
    throw new ManifestInvalid(
      `the history has ${history.length} steps: up to ${MOST_STEPS} can be converted to schema 1`,
    );
  }
  const left = layers.values();
  const [first, ...rest] = history.map((entry) => ({ entry, blobSum: blobSumOf(entry, left) }));
  if (first === undefined) throw new ManifestInvalid("empty history when trying to create schema1 manifest");
  if (left.next().done !== true) throw new ManifestInvalid("too few non-empty layers in History section");
  return [first, ...rest];
}

function blobSumOf(entry: HistoryEntry, left: Iterator<BlobDigest>): BlobDigest {
  if (entry.emptyLayer) return EMPTY_LAYER.digest;
  const next = left.next();
  if (next.done !== true) return next.value;
  throw new ManifestInvalid("too many non-empty layers in History section");
}

/** Oldest first: of each step what Docker before 1.10 kept as an image of its own. The newest has the configuration. */
function* toHistory(
  { baseLayer, members }: ImageConfig,
  steps: readonly Step[],
  config: Uint8Array,
): Generator<string, void, void> {
  let parent = "";
  for (const [index, step] of steps.entries()) {
    const seed = `${step.blobSum.slice(step.blobSum.indexOf(":") + 1)} ${parent}`;
    if (index === steps.length - 1) {
      yield configText(members, idOf(Buffer.concat([Buffer.from(`${seed} `), config])), parent, step.entry);
    } else {
      const id = idOf(Buffer.from(seed));
      // The first layer of a Windows image lies on one that no registry has; the id does not show it.
      yield stepText(step.entry, id, index === 0 && baseLayer !== "" ? baseId(baseLayer) : parent);
      parent = id;
    }
  }
}

/** No more is made of them once they are too long: each byte of a configuration can become seven. */
function collect(texts: Iterable<string>): readonly string[] {
  const all: string[] = [];
  let length = 0;
  for (const text of texts) {
    length += text.length;
    if (length > MANIFEST_LIMIT) throw tooLong();
    all.push(text);
  }
  return all;
}

function tooLong(): ManifestInvalid {
  return new ManifestInvalid(`converted to schema 1 it would have more than ${MANIFEST_LIMIT} bytes`);
}

function idOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** Hex of the first 32 bytes. */
function baseId(baseLayer: string): string {
  return hash("sha384", baseLayer.toWellFormed(), "hex").slice(0, 64);
}

function stepText(entry: HistoryEntry, id: string, parent: string): string {
  return toGoJson({
    id,
    ...(parent !== "" && { parent }),
    ...(entry.comment !== "" && { comment: entry.comment }),
    created: entry.created,
    container_config: { Cmd: [entry.createdBy] },
    ...(entry.author !== "" && { author: entry.author }),
    ...(entry.emptyLayer && { throwaway: true }),
  });
}

/** The configuration itself, values as they are, keys in byte order. */
function configText(members: ImageConfig["members"], id: string, parent: string, { emptyLayer }: HistoryEntry): string {
  const kept = new Map(members);
  kept.delete("rootfs");
  kept.delete("history");
  kept.set("id", toGoJson(id));
  if (parent !== "") kept.set("parent", toGoJson(parent));
  if (emptyLayer) kept.set("throwaway", "true");
  const entries = [...kept].map(([key, value]) => ({ order: Buffer.from(key), key, value }));
  entries.sort((a, b) => Buffer.compare(a.order, b.order));
  return `{${entries.map(({ key, value }) => `${toGoJson(key)}:${value}`).join(",")}}`;
}
