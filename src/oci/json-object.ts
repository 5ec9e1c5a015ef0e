import { ManifestInvalid } from "./errors.ts";
import {
  type FaultHandler,
  faultHandlerOf,
  isJsonObject,
  type JsonObject,
  nameOf,
  type Origin,
} from "./json-fields.ts";

/** Nothing but UTF-8; a byte order mark is kept, and no JSON begins with one. */
const EXACT_TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is not UTF-8 becomes U+FFFD, as in the peers' decoder. */
const ANY_TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A document that is one JSON object. Of duplicate keys the last counts, as for the peers. In one that is pushed, a whole
 * number under a key of {@link WHOLE_NUMBERS} that is written as a fraction, such as `2.0` and `1e3`, reads as Infinity: the
 * peers read no size and no version from it.
 * @throws {ManifestInvalid} where it is not JSON or not an object, and for other faults where it is pushed
 */
export function parseJsonObject(bytes: Uint8Array, origin: Origin): JsonObject {
  if (bytes.length === 0) throw new ManifestInvalid("a manifest must be a JSON object, not an empty body");
  const onFault = faultHandlerOf(origin);
  if (isDeeperThan(MOST_LEVELS, bytes)) onFault(`a manifest may be nested ${MOST_LEVELS} levels deep, not more`);
  const text = toText(bytes, onFault);
  const document = parseJson(origin === "pushed" ? markFractions(text) : text);
  if (!isJsonObject(document)) throw new ManifestInvalid(`a manifest must be a JSON object, not ${nameOf(document)}`);
  return document;
}

function toText(bytes: Uint8Array, onFault: FaultHandler): string {
  try {
    return EXACT_TEXT.decode(bytes);
  } catch {
    onFault("a manifest must be JSON in UTF-8, and these bytes are not UTF-8");
    return ANY_TEXT.decode(bytes);
  }
}

/** The peers' decoder gives up at 10,000, and its collector with it. */
const MOST_LEVELS = 1000;

/** Counts brackets outside strings, without regard to whether the rest is JSON. */
function isDeeperThan(levels: number, bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length && bytes.length > levels; i++) {
    const byte = bytes[i];
    if (byte === 0x5c && inString) i++;
    else if (byte === 0x22) inString = !inString;
    else if (inString) continue;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    if (depth > levels) return true;
  }
  return false;
}

/** Keys of numbers that must be written as whole ones. */
const WHOLE_NUMBERS = ["size", "schemaVersion"] as const;

/**
 * The number of such a key, where it has a fraction or an exponent. In JSON a quote without a backslash before and a name
 * behind it begins a string, and a string before a colon is a key; so nothing within a string is found. The first look
 * ahead is for speed: white space is gone over once.
 */
const FRACTION = new RegExp(
  String.raw`(?=[-0-9])(?<=(?<!\\)"(?:${WHOLE_NUMBERS.map(spellings).join("|")})"[ \t\r\n]*:[ \t\r\n]*)` +
    String.raw`-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)`,
  "g",
);

/** Each character of a key as it is or escaped. */
function spellings(key: string): string {
  return [...key].map((character) => `(?:${character}|${escapeOf(character)})`).join("");
}

/** `\u0073` for `s`, as a pattern: its digits in either case. */
function escapeOf(character: string): string {
  const digits = character.charCodeAt(0).toString(16).padStart(4, "0");
  return String.raw`\\u${digits.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`;
}

/** Too big for any number, so no whole one. */
const NO_NUMBER = "1e999";

/** A reviver that is told the text of each number would take seconds for a million of them. */
function markFractions(text: string): string {
  return text.replace(FRACTION, (number) => (Number.isInteger(Number(number)) ? NO_NUMBER : number));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ManifestInvalid(`a manifest must be JSON without a byte order mark: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
