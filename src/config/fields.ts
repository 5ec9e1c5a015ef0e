import * as v from "valibot";
import { parseDuration } from "./duration.ts";
import { plainValue, Scalar } from "./tree.ts";

/** What is read by these says in its message what is accepted; who reports it knows where it was and what was found. */
export type Field<T> = v.GenericSchema<unknown, T>;

/** @param read the value, or undefined where the scalar is none */
export function field<T>(accepted: string, read: (scalar: Scalar) => T | undefined): Field<T> {
  return v.pipe(
    v.instance(Scalar, accepted),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value === undefined) addIssue({ message: accepted });
      return value ?? NEVER;
    }),
  );
}

/** @param byDefault what counts where the file does not have the key; it is not read or checked any more */
export function withDefault<T>(schema: Field<T>, byDefault: NoInfer<T>): Field<T> {
  return v.pipe(
    v.optional(schema, () => undefined), // of a missing key without a default, the rest of the pipe is skipped too
    v.transform((value) => (value === undefined ? byDefault : value)),
  );
}

/** Any scalar, as it was written: `password: 0123` has four characters. */
export const text: Field<string> = field("text", (scalar) => scalar.text);

/** Text that may be left out; an empty one counts as left out. */
export const optionalText: Field<string | undefined> = v.pipe(
  v.optional(text),
  v.transform((text) => text || undefined),
);

/** A number or a boolean as YAML has it, `0x10` and `yes` too; else text. */
const scalar: Field<boolean | number | string> = field("text, a number, true or false", (given) => {
  const value = plainValue(given);
  return typeof value === "number" || typeof value === "boolean" ? value : given.text;
});

/** The same where it may be left out; an empty text counts as left out. */
export const optionalScalar: Field<boolean | number | string | undefined> = v.pipe(
  v.optional(scalar),
  v.transform((value) => (value === "" ? undefined : value)),
);

/** Text that names something; an empty one would name nothing. */
export function named(what: string): Field<string> {
  return field(what, (scalar) => (scalar.text === "" ? undefined : scalar.text));
}

export const bool: Field<boolean> = field("true or false", ({ value }) =>
  typeof value === "boolean" ? value : undefined,
);

export function int(atLeast: number = Number.MIN_SAFE_INTEGER): Field<number> {
  const accepted = atLeast === Number.MIN_SAFE_INTEGER ? "a whole number" : `a whole number, at least ${atLeast}`;
  return field(accepted, ({ value }) => (isInt(value) && value >= atLeast ? value : undefined));
}

function isInt(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

/** Milliseconds. A bare whole number means nanoseconds. */
export const duration: Field<number> = field("a duration such as 90s, 1h30m or 500ms, not below 0", (scalar) => {
  const ms = toMilliseconds(scalar);
  return ms !== undefined && ms >= 0 ? ms : undefined;
});

/** The longest wait of one timer of Node. ms */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** A duration that one timer waits, in whole milliseconds. A longer one, of more than three weeks, is cut. */
export const timer: Field<number> = v.pipe(duration, v.transform(toTimer));

/** As {@link timer}, for what is never off. A bare number that is less than a millisecond was meant as seconds. */
export const timeLimit: Field<number> = field(
  "a duration above 0 with its unit: write 30s for thirty seconds",
  (scalar) => {
    const ms = toMilliseconds(scalar) ?? 0;
    const least = isInt(scalar.value) ? 1 : Number.MIN_VALUE;
    return ms >= least ? toTimer(ms) : undefined;
  },
);

function toTimer(ms: number): number {
  return Math.min(Math.ceil(ms), LONGEST_TIMER);
}

/** Where a negative duration has a meaning of its own. */
export const signedDuration: Field<number> = field("a duration such as 90s, 1h30m or -1ns", toMilliseconds);

function toMilliseconds({ value, text }: Scalar): number | undefined {
  return isInt(value) ? value / 1e6 : parseDuration(text);
}

/** One of `values`, in any case. */
export function oneOf<T extends string>(...values: readonly [T, ...T[]]): Field<T> {
  return field(`one of ${values.join(", ")}`, ({ text }) => values.find((value) => value === text.toLowerCase()));
}

type Section<S extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<S, undefined>>;

/** A map with known keys; others are left out here and reported elsewhere. */
export function section<S extends v.ObjectEntries>(shape: S): Field<Section<S>> {
  return v.pipe(
    v.custom<v.InferInput<v.ObjectSchema<S, undefined>>>(isMap, "a map"),
    v.object(shape, (issue) => ofMissing(shape, issue)),
  );
}

/** Neither a list nor a scalar, of what the schema reads. */
export function isMap(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === "object" && input !== null && !Array.isArray(input) && !(input instanceof Scalar);
}

/** What is accepted where a key is missing: its own schema tells. */
function ofMissing(shape: v.ObjectEntries, { path }: v.ObjectIssue): string {
  const schema = shape[String(path?.[0].key)];
  return (schema && v.safeParse(schema, undefined).issues?.[0].message) ?? "a map";
}

/** A section that is there with its defaults when the file does not have it. */
export function alwaysThere<S extends v.ObjectEntries>(shape: S): Field<Section<S>> {
  return v.optional(section(shape), {});
}

/** A list that is not there by itself. */
export function list<T>(item: Field<T>): Field<T[]> {
  return v.array(item, "a list");
}

/** A list that is empty when the file does not have it. */
export function listOf<T>(item: Field<T>): Field<T[]> {
  return v.optional(list(item), []);
}

/** A map whose keys are the operator's own, empty when the file does not have it. (`v.record` leaves out `constructor`.) */
export function mapOf<T>(item: Field<T>): Field<Record<string, T>> {
  const map = v.lazy((input) => section(Object.fromEntries(ownKeys(input).map((key) => [key, item]))));
  return v.optional(map, {});
}

/** Without the one that JavaScript takes for something else. */
function ownKeys(input: unknown): string[] {
  return Object.keys(input ?? {}).filter((key) => key !== "__proto__");
}

const anything: Field<unknown> = v.pipe(v.unknown(), v.transform(unwrap));

function unwrap(input: unknown): unknown {
  if (input instanceof Scalar) return plainValue(input);
  if (Array.isArray(input)) return input.map(unwrap);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, unwrap(value)]));
}

/** A map whose keys and values somebody else understands. */
export const parameters: Field<Record<string, unknown>> = mapOf(anything);

/** For an issue of a key, added by a check of what is around it. */
export function pathOf(...keys: readonly [Key, ...Key[]]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const [first, ...others] = keys;
  return [stepTo(first), ...others.map(stepTo)];
}

type Key = string | number;

function stepTo(key: Key): v.UnknownPathItem {
  return { type: "unknown", origin: "value", input: undefined, key, value: undefined };
}
