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

/** Whether a document comes from a client or lies in the storage. */
export type Origin = "pushed" | "stored";

export function faultHandlerOf(origin: Origin): FaultHandler {
  return origin === "pushed" ? refuse : overlook;
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
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What stands in the place of a certain number, for a sentence; see `parseJsonObject` for what cannot be finite. */
export function nameOfNumber(value: unknown): string {
  if (typeof value !== "number") return nameOf(value);
  return Number.isFinite(value) ? String(value) : "one with a fraction or an exponent";
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
