import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as v from "valibot";
import { examine } from "./examined.ts";
import { DEPRECATED, DURATIONS, KEYS, VARIABLE_NAMES } from "./keys.ts";
import { schema } from "./schema.ts";

describe("the table of keys", () => {
  const manual = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const rows = Object.keys(KEYS).filter((row) => !row.includes("="));

  it("has a row for every key of the schema, and the schema has a key for every row", () => {
    assert.deepEqual(rows.toSorted(), [...keysOf(schema, "")].toSorted());
  });

  it("gives a class by value only to keys that have a row", () => {
    for (const row of Object.keys(KEYS)) assert.ok(rows.includes(row.split("=")[0] ?? ""), row);
  });

  it("refuses every key that guards something", () => {
    assert.equal(KEYS["proxy.remoteurl"], "refused");
  });

  it("names only keys that exist as deprecated, as their replacements, and as names of variables", () => {
    const known = new Set(rows.map((row) => row.replace(/\[\]$|\.\*$/, "")));
    const named = [
      ...Object.entries(DEPRECATED).flat(),
      ...Object.entries(VARIABLE_NAMES).map(([path, key]) => sibling(path, key)),
    ];
    for (const path of named)
      assert.ok(
        [...known].some((row) => row === path || row.startsWith(`${path}.`) || row.startsWith(`${path}[]`)),
        path,
      );
  });

  it("knows as durations what the manual and the schema have as durations", () => {
    const documented = [...manual.matchAll(/^\| `([^`]+)` \| duration \|/gm)].map(([, key]) => key);
    assert.deepEqual([...DURATIONS].toSorted(), documented.toSorted());
    for (const path of DURATIONS) {
      const { findings } = examine(JSON.stringify(documentWith(path, "1d")), "f", {});
      const key = path.replaceAll("[]", "[0]");
      assert.ok(
        findings.some(({ sentence }) => sentence.startsWith(`${key} is "1d", but must be a duration`)),
        path,
      );
    }
  });

  it("says the same as the manual", () => {
    const documented = [...manual.matchAll(/^\| `([^`]+)` \|.*\| (honoured|refused|warned) \|$/gm)];
    assert.deepEqual(
      documented.map(([, key, keyClass]) => [key, keyClass]).toSorted(byKey),
      Object.entries(KEYS).toSorted(byKey),
    );
  });
});

/** A configuration with this key. */
function documentWith(path: string, value: unknown): object {
  const steps = path.match(/\[\]|[^.[]+/g) ?? [];
  const section = steps.reduceRight((inner, step) => (step === "[]" ? [inner] : { [step]: inner }), value);
  return { version: "0.1", ...(section as object) };
}

function byKey([a = ""]: readonly (string | undefined)[], [b = ""]: readonly (string | undefined)[]): number {
  return a < b ? -1 : Number(a > b);
}

function sibling(path: string, key: string): string {
  return [...path.split(".").slice(0, -1), key].join(".");
}

/** The paths of the schema's keys, in the notation of the table. */
function* keysOf(type: v.GenericSchema, path: string): Generator<string> {
  const { pipe, entries, getter, item, wrapped } = type as AnySchema;
  if (pipe) yield* keysOf(pipe.findLast(isSchema) ?? v.never(), path);
  else if (entries) {
    for (const [key, child] of Object.entries(entries)) yield* keysOf(child, path === "" ? key : `${path}.${key}`);
  } else if (getter) yield* keysOf(getter({ "*": [] }), path);
  else if (item) yield* keysOf(item, `${path}[]`);
  else if (wrapped) yield* keysOf(wrapped, path);
  else yield path;
}

interface AnySchema extends v.GenericSchema {
  /** The first is the schema that the rest was added to, whose properties the whole has too. */
  readonly pipe?: readonly (v.GenericSchema | v.PipeAction<unknown, unknown, v.BaseIssue<unknown>>)[];
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  /** Of a map with keys of the operator's own: the schema of the one it is given. */
  readonly getter?: (input: unknown) => v.GenericSchema;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
}

function isSchema(part: { readonly kind: string }): part is v.GenericSchema {
  return part.kind === "schema";
}
