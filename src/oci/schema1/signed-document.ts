import { ManifestInvalid } from "../errors.ts";
import { type JsonObject, nameOf, parseJsonObject, refuse } from "../json-fields.ts";
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

/** More are no use, and each costs a pass over the payload. The peers set no limit. */
const MOST_SIGNATURES = 64;

/**
 * A document is its payload with the signatures as the last member; whatever else lies outside the payload is refused,
 * because nobody has signed it.
 * @throws {ManifestInvalid} where it is of another form
 * @throws {ManifestUnverified} where a key cannot be used
 * @see manifests, section 5.2, "Pretty JWS"
 */
export function parseSignedDocument(bytes: Uint8Array): SignedDocument {
  const signatures = readSignatures(parseJsonObject(bytes, refuse));
  const [{ format }] = signatures;
  checkAgreement(format, signatures);
  checkRest(bytes, format);
  const payload = joinPayload(bytes, format);
  if (Object.hasOwn(parseJsonObject(payload, refuse), SIGNATURES)) {
    throw new ManifestInvalid(`the key ${SIGNATURES} stands within what is signed`);
  }
  return { payload, signatures };
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
  if (value.length > MOST_SIGNATURES) {
    throw new ManifestInvalid(`a manifest may have at most ${MOST_SIGNATURES} signatures, not ${value.length}`);
  }
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
  const keys = rest.startsWith(",") ? Object.keys(parseJsonObject(Buffer.from(`{${rest.slice(1)}`), refuse)) : [];
  if (keys.length === 1 && keys[0] === SIGNATURES) return;
  throw new ManifestInvalid(`invalid format length: expected nothing but ${SIGNATURES} behind what is signed`);
}
