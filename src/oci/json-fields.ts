/**
 * Fields of a JSON document, read for two kinds of caller: one that refuses a fault and one that overlooks it, because a
 * peer has let the document in long ago. Both run the same code; they differ in their {@link FaultHandler}.
 */
import { ManifestInvalid } from "./errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Told of each fault in a sentence: it throws, or it returns and what is faulty counts as absent. */
export type FaultHandler = (fault: string) => undefined;

/** @throws {ManifestInvalid} always */
export const refuse: FaultHandler = (fault) => {
  throw new ManifestInvalid(fault);
};

export const overlook: FaultHandler = () => undefined;

/** Nothing but UTF-8; a byte order mark is kept, and no JSON begins with one. */
const EXACT_TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is not UTF-8 becomes U+FFFD, as in the peers' decoder. */
const ANY_TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A document that is one JSON object. Of duplicate keys the last counts, as for the peers.
 * @throws {ManifestInvalid} whatever `onFault` does where it is not JSON or not an object
 */
export function parseJsonObject(bytes: Uint8Array, onFault: FaultHandler): JsonObject {
  if (bytes.length === 0) throw new ManifestInvalid("a manifest must be a JSON object, not an empty body");
  if (isDeeperThan(MOST_LEVELS, bytes)) onFault(`a manifest may be nested ${MOST_LEVELS} levels deep, not more`);
  const document = parseJson(toText(bytes, onFault), onFault === refuse);
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

/** The peers' decoder gives up at 10,000, and its collector with it; ours, where it looks at numbers, before. */
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

/** A number that is not written as a whole one, such as `2.0` and `1e3`: the peers read no size and no version from it. */
class Fraction {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** What `JSON.parse` hands to a reviver beside key and value. */
interface ReviverContext {
  readonly source?: string;
}

function keepFractions(_key: string, value: unknown, context?: ReviverContext): unknown {
  const source = context?.source;
  return typeof value === "number" && source !== undefined && !/^-?\d+$/.test(source) ? new Fraction(source) : value;
}

/** Only a document that may hold such a number is read with the slower reviver. */
const MAY_HOLD_FRACTION = /\d[.eE]/;

function parseJson(text: string, strict: boolean): unknown {
  try {
    return JSON.parse(text, strict && MAY_HOLD_FRACTION.test(text) ? keepFractions : undefined);
  } catch (error) {
    throw new ManifestInvalid(`a manifest must be JSON without a byte order mark: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The keys that are read of one kind of object. */
export interface KnownKeys {
  /** The known key of which `key` is a spelling, else `key`. */
  canonical(key: string): string;
}

export function knownKeys(...keys: readonly string[]): KnownKeys {
  const exact = new Set(keys);
  const folded = new Map(keys.map((key) => [fold(key), key]));
  return { canonical: (key) => (exact.has(key) ? key : (folded.get(fold(key)) ?? key)) };
}

/** Simple case folding, with the two letters outside ASCII that fold into it (U+017F to s, U+212A to k). */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/**
 * An object in which every known key is spelt as the specification has it. The peers' decoder takes `Layers` for `layers`
 * where most clients do not, so a document with such a key says two things: that is a fault.
 */
export function withKnownKeys(object: JsonObject, known: KnownKeys, path: string, onFault: FaultHandler): JsonObject {
  const variant = Object.keys(object).find((key) => known.canonical(key) !== key);
  if (variant === undefined) return object;
  onFault(`${path} has the key ${JSON.stringify(variant)}: expected ${JSON.stringify(known.canonical(variant))}`);
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [known.canonical(key), value]));
}

/** `null` counts as absent. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Fraction);
}

export function optionalString(value: unknown, path: string, onFault: FaultHandler): string | undefined {
  if (typeof value === "string") return value;
  return isPresent(value) ? onFault(`${path} must be a string, not ${nameOf(value)}`) : undefined;
}

export function optionalObject(value: unknown, path: string, onFault: FaultHandler): JsonObject | undefined {
  if (!isPresent(value)) return undefined;
  return isJsonObject(value) ? value : onFault(`${path} must be an object, not ${nameOf(value)}`);
}

export function optionalArray(value: unknown, path: string, onFault: FaultHandler): readonly unknown[] | undefined {
  if (!isPresent(value)) return undefined;
  return Array.isArray(value) ? value : onFault(`${path} must be an array, not ${nameOf(value)}`);
}

export function optionalStrings(value: unknown, path: string, onFault: FaultHandler): readonly string[] | undefined {
  const items = optionalArray(value, path, onFault);
  if (items === undefined || items.every(isString)) return items;
  return onFault(`${path} must be an array of strings`);
}

export function optionalStringMap(
  value: unknown,
  path: string,
  onFault: FaultHandler,
): Readonly<Record<string, string>> | undefined {
  const map = optionalObject(value, path, onFault);
  if (map === undefined || isStringMap(map)) return map;
  const key = Object.keys(map).find((name) => !isString(map[name])) ?? "";
  return onFault(`${path} must map strings to strings: the value of ${quote(key)} is ${nameOf(map[key])}`);
}

function isStringMap(map: JsonObject): map is Readonly<Record<string, string>> {
  return Object.values(map).every(isString);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function quote(text: string): string {
  return JSON.stringify(clip(text));
}

/** A client's text, no longer than a sentence bears. */
export function clip(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** Characters. */
const LONGEST_QUOTE = 150;

/** A value's JSON type, for a sentence. */
export function nameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Fraction) return clip(value.source);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The fields that have a value. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const found: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) found[key] = value as Exclude<T[typeof key], undefined>;
  }
  return found;
}
