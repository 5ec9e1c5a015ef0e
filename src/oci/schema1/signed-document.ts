import { ManifestInvalid } from "../errors.ts";
import { type JsonObject, nameOf } from "../json-fields.ts";
import { parseJsonObject } from "../json-object.ts";
import { toGoJson } from "./go-json.ts";
import { compareSignatures, type JwsSignature, parseSignature, toJson } from "./jws-signature.ts";
import { indentOf, type PayloadFormat } from "./payload-format.ts";

/** A document taken apart. Nothing is verified yet. */
export interface SignedDocument {
  /** What is signed, stored, and named by a digest. */
  readonly payload: Uint8Array;
  readonly signatures: readonly [JwsSignature, ...JwsSignature[]];
}

/** The key of a document under which its signatures stand. */
const SIGNATURES = "signatures";

/** More are no use, and verifying one takes up to 6 ms for its key alone. The peers set no limit. */
const MOST_SIGNATURES = 32;

/** Bytes that may be signed, of all signatures together: each costs passes over the payload, of 5 to 15 ms a MiB. */
const MOST_SIGNED_BYTES = 8 * 1024 * 1024;

/**
 * A document is its payload with the signatures as the last member; whatever else lies outside the payload is refused,
 * because nobody has signed it. What the payload says is not looked at.
 * @param fields what the document says as a whole
 * @throws {ManifestInvalid} where it is of another form
 * @throws {ManifestUnverified} where a key cannot be used
 * @see manifests, section 5.2, "Pretty JWS"
 */
export function parseSignedDocument(
  bytes: Uint8Array,
  fields: JsonObject = parseJsonObject(bytes, "pushed"),
): SignedDocument {
  const signatures = readSignatures(fields);
  const [{ format }] = signatures;
  checkAgreement(format, signatures);
  checkRest(bytes, format);
  const payload = joinPayload(bytes, format);
  checkNumber(signatures, mostSignatures(payload));
  return { payload, signatures };
}

/** How many a payload may have. */
export function mostSignatures(payload: Uint8Array): number {
  return Math.min(MOST_SIGNATURES, Math.floor(MOST_SIGNED_BYTES / payload.length));
}

/** @throws {ManifestInvalid} */
export function checkNumber(signatures: readonly unknown[], most: number): void {
  if (signatures.length <= most) return;
  throw new ManifestInvalid(`a manifest of this size may have at most ${most} signatures, not ${signatures.length}`);
}

/**
 * The document that a client gets. Its indentation is that of the payload.
 * @param signatures over this payload; they are not verified
 * @throws {ManifestInvalid} where one of them cuts another payload
 */
export function printSignedDocument(
  payload: Uint8Array,
  signatures: readonly [JwsSignature, ...JwsSignature[]],
): Uint8Array {
  const [{ format }] = signatures;
  checkFit(payload, signatures);
  return Buffer.concat([payload.subarray(0, format.length), Buffer.from(printMember(signatures, indentOf(payload)))]);
}

/**
 * Whether they can stand below this payload; they are not verified.
 * @throws {ManifestInvalid}
 */
export function checkFit(payload: Uint8Array, signatures: readonly [JwsSignature, ...JwsSignature[]]): void {
  const [{ format }] = signatures;
  checkAgreement(format, signatures);
  if (Buffer.compare(joinPayload(payload, format), payload) === 0) return;
  throw new ManifestInvalid("the signatures are those of another payload");
}

function joinPayload(bytes: Uint8Array, { length, tail }: PayloadFormat): Buffer {
  return Buffer.concat([bytes.subarray(0, length), Buffer.from(tail)]);
}

function printMember(signatures: readonly JwsSignature[], indent: string | undefined): string {
  const list = [...signatures].sort(compareSignatures).map(toJson);
  if (indent === undefined) return `,"${SIGNATURES}":${toGoJson(list)}}`;
  const lines = toGoJson(list, indent).replaceAll("\n", `\n${indent}`);
  return `,\n${indent}"${SIGNATURES}": ${lines}\n}`;
}

function readSignatures(document: JsonObject): readonly [JwsSignature, ...JwsSignature[]] {
  if (!Object.hasOwn(document, SIGNATURES)) throw new ManifestInvalid(`missing signature key: expected ${SIGNATURES}`);
  const value = document[SIGNATURES];
  if (!Array.isArray(value)) throw new ManifestInvalid(`${SIGNATURES} must be an array, not ${nameOf(value)}`);
  checkNumber(value, MOST_SIGNATURES);
  const [first, ...rest] = value.map((item, index) => parseSignature(item, `${SIGNATURES}[${index}]`));
  if (first === undefined) throw new ManifestInvalid(`${SIGNATURES} must not be empty`);
  return [first, ...rest];
}

function checkAgreement({ length, tail }: PayloadFormat, signatures: readonly JwsSignature[]): void {
  for (const { format } of signatures) {
    if (format.length !== length) throw new ManifestInvalid("conflicting format length: the signatures do not agree");
    if (format.tail !== tail) throw new ManifestInvalid("conflicting format tail: the signatures do not agree");
  }
}

/** What lies behind the payload's part is the signatures and nothing else. */
function checkRest(bytes: Uint8Array, { length }: PayloadFormat): void {
  if (length > bytes.length) throw new ManifestInvalid("invalid format length: it is longer than the document");
  const rest = Buffer.from(bytes.subarray(length)).toString().trimStart();
  const keys = rest.startsWith(",") ? Object.keys(parseJsonObject(Buffer.from(`{${rest.slice(1)}`), "pushed")) : [];
  if (keys.length === 1 && keys[0] === SIGNATURES) return;
  throw new ManifestInvalid(`invalid format length: expected nothing but ${SIGNATURES} behind what is signed`);
}
