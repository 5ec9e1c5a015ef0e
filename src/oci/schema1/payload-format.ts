/**
 * How a payload, which is indented JSON, becomes a signed document and back: the document is the payload up to its last
 * member, then the member `signatures`, then the closing brace. Each signature says in its protected header where the cut
 * is and what stood behind it.
 *
 * @see manifests, section 5.2, "Pretty JWS"
 */
import { ManifestInvalid } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json-fields.ts";
import { decodeBase64url, encodeBase64url } from "./base64.ts";

export interface PayloadFormat {
  /** Bytes of the document that are the payload's. */
  readonly length: number;
  /** What follows them in the payload: white space and a brace. */
  readonly tail: string;
}

const [OPEN, CLOSE] = ["{".charCodeAt(0), "}".charCodeAt(0)];
const WHITE: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n"));

/** A payload ends as JSON objects do; a tail that said more would be content that the document does not show. */
const TAIL = /^[ \t\r\n]*\}[ \t\r\n]*$/;

/** An indent that is longer is not worth keeping. Bytes. */
const LONGEST_INDENT = 64;

/**
 * Where a payload is cut to sign it.
 * @throws {ManifestInvalid} where it has no member, or is no JSON object by its end
 */
export function formatOf(payload: Uint8Array): PayloadFormat {
  const brace = lastInk(payload, payload.length);
  const end = lastInk(payload, brace);
  if (payload[brace] !== CLOSE || end <= 0 || payload[end] === ",".charCodeAt(0) || payload[end] === OPEN) {
    throw new ManifestInvalid("what is signed must be a JSON object with a member");
  }
  return { length: end + 1, tail: Buffer.from(payload.subarray(end + 1)).toString("latin1") };
}

/** Index of the last byte before `end` that is not white space; -1 where there is none. */
function lastInk(payload: Uint8Array, end: number): number {
  return payload.subarray(0, end).findLastIndex((byte) => !WHITE.has(byte));
}

/** The protected header of a signature: its keys in alphabetical order, the time in whole seconds. */
export function protectedHeader({ length, tail }: PayloadFormat, now: Date): Record<string, string | number> {
  return { formatLength: length, formatTail: encodeBase64url(tail), time: now.toISOString().replace(/\.\d+/, "") };
}

/**
 * @param text base64url
 * @param path where it stands in its document, for the sentence of a fault
 * @throws {ManifestInvalid}
 */
export function parseProtected(text: string, path: string): PayloadFormat {
  const header = readHeader(text);
  if (header === undefined) throw new ManifestInvalid(`${path} must be a JSON object in base64url`);
  if (Object.hasOwn(header, "crit"))
    throw new ManifestInvalid(`${path} demands an extension by crit: there is none here`);
  const { formatLength, formatTail } = header;
  if (typeof formatLength !== "number" || !Number.isSafeInteger(formatLength) || formatLength < 0) {
    throw new ManifestInvalid(`invalid format length: formatLength in ${path} must be a whole number of bytes`);
  }
  const tail = typeof formatTail === "string" ? decodeBase64url(formatTail) : undefined;
  const decoded = tail && Buffer.from(tail).toString("latin1");
  if (decoded !== undefined && TAIL.test(decoded)) return { length: formatLength, tail: decoded };
  throw new ManifestInvalid(`invalid format tail: formatTail in ${path} must be white space and a brace in base64url`);
}

function readHeader(text: string): JsonObject | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(decodeBase64url(text) ?? []).toString());
    return isJsonObject(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

/** What stands before each member of a payload's first level; undefined where it is not indented. */
export function indentOf(payload: Uint8Array): string | undefined {
  if (payload[0] !== OPEN || payload[1] !== "\n".charCodeAt(0)) return undefined;
  const indent = Buffer.from(payload.subarray(2, 2 + LONGEST_INDENT)).toString("latin1");
  return /^[ \t\r\n]+(?=")/.exec(indent)?.[0];
}
