import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { plainValue, Scalar } from "./tree.ts";

// A configuration is read once, so compiling its schemas costs more than it saves: 15 ms of a start.
z.config({ jitless: true });

/** What is read by these says in its message what is accepted; who reports it knows where it was and what was found. */
export type Field<T> = z.ZodType<T>;

/** @param read the value, or undefined where the scalar is none */
export function field<T>(accepted: string, read: (scalar: Scalar) => T | undefined): Field<T> {
  return z.unknown().transform((input, context) => {
    const value = input instanceof Scalar ? read(input) : undefined;
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", message: accepted, input });
    return z.NEVER;
  });
}

/** Any scalar, as it was written: `password: 0123` has four characters. */
export const text: Field<string> = field("text", (scalar) => scalar.text);

/** Text that may be left out; an empty one counts as left out. */
export const optionalText: z.ZodType<string | undefined> = text.optional().transform((text) => text || undefined);

/** A number or a boolean as YAML has it, `0x10` and `yes` too; else text. */
const scalar: Field<boolean | number | string> = field("text, a number, true or false", (given) => {
  const value = plainValue(given);
  return typeof value === "number" || typeof value === "boolean" ? value : given.text;
});

/** The same where it may be left out; an empty text counts as left out. */
export const optionalScalar: z.ZodType<boolean | number | string | undefined> = scalar
  .optional()
  .transform((value) => (value === "" ? undefined : value));

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
export const timer: z.ZodType<number> = duration.transform(toTimer);

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

type Section<S extends z.ZodRawShape> = z.ZodPreprocess<z.ZodObject<{ -readonly [P in keyof S]: S[P] }, z.core.$strip>>;

/** A map with known keys; others are left out here and reported elsewhere. */
export function section<S extends z.ZodRawShape>(shape: S): Section<S> {
  return z.preprocess((input) => (input instanceof Scalar ? input.value : input), z.object(shape));
}

/** A section that is there with its defaults when the file does not have it. */
export function alwaysThere<S extends z.ZodRawShape>(shape: S): z.ZodPrefault<Section<S>> {
  return section(shape).prefault({});
}

/** A list that is empty when the file does not have it. */
export function listOf<T extends z.ZodType>(item: T): z.ZodDefault<z.ZodArray<T>> {
  return z.array(item).default([]);
}

const anything: z.ZodType<unknown> = z.unknown().transform(unwrap);

function unwrap(input: unknown): unknown {
  if (input instanceof Scalar) return plainValue(input);
  if (Array.isArray(input)) return input.map(unwrap);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, unwrap(value)]));
}

/** A map whose keys and values somebody else understands. */
export const parameters: z.ZodDefault<z.ZodRecord<z.ZodString, z.ZodType<unknown>>> = z
  .record(z.string(), anything)
  .default({});
