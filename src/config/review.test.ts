import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "./config-error.ts";
import { inOrder, toLine } from "./finding.ts";
import { DEPRECATED, DURATIONS, KEYS, type KeyClass } from "./keys.ts";
import { REASONS, reasonFor } from "./reasons.ts";
import { review } from "./review.ts";
import { Mapping } from "./tree.ts";
import { parseYaml } from "./yaml-tree.ts";

function warningsOf(text: string): string[] {
  const root = parseYaml(text, "f", true);
  assert.ok(root instanceof Mapping);
  const findings = inOrder(review(root));
  const error = findings.find(({ fatal }) => fatal);
  if (error) throw new ConfigError(error.where, error.sentence);
  return findings.map(toLine);
}

/** A document with nothing but this key. */
function documentWith(path: string, value: unknown): string {
  const steps = path.match(/\[\]|[^.[]+/g) ?? [];
  return JSON.stringify(steps.reduceRight((inner, step) => (step === "[]" ? [inner] : { [step]: inner }), value));
}

function outcomeOf(row: string, value: unknown): { keyClass: KeyClass; sentence: string } {
  try {
    const [sentence] = warningsOf(documentWith(row, value)).filter((warning) => !warning.includes("deprecated"));
    return { keyClass: sentence === undefined ? "honoured" : "warned", sentence: sentence ?? "" };
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return { keyClass: "refused", sentence: error.message };
  }
}

/** One that nothing is to be said of. */
function plainValueOf(path: string): unknown {
  if (DURATIONS.has(path)) return "5s";
  return path === "http.host" ? "https://registry.example.com" : 5;
}

describe("the class of a key", () => {
  for (const [row, keyClass] of Object.entries(KEYS)) {
    const [path = "", value = plainValueOf(path)] = row.split("=");

    it(`makes ${row} ${keyClass}`, () => {
      const outcome = outcomeOf(path, value);
      assert.equal(outcome.keyClass, keyClass, outcome.sentence);
      if (keyClass === "honoured") return;
      assert.match(outcome.sentence, new RegExp(`^f:1: ${path.split(".")[0]}\\b.* is (?:ignored|refused): `));
      const reason = reasonFor(path.replace(/\.\*$/, "")) ?? assert.fail(`no reason why ${row} is ${keyClass}`);
      assert.ok(outcome.sentence.includes(`ed: ${reason}`), outcome.sentence);
    });

    for (const off of [null, false, ""]) {
      it(`does not matter where ${row} is ${JSON.stringify(off)}`, () => {
        assert.deepEqual(outcomeOf(path, off), { keyClass: "honoured", sentence: "" });
      });
    }
  }

  it("is told by the name of the section that is not built yet, once", () => {
    const text =
      "reporting:\n  bugsnag:\n    apikey: a\n    endpoint: b\n  newrelic: {name: x}\nredis: {readonly: true, minidleconns: 1}\n";
    assert.deepEqual(warningsOf(text), [
      "f:3: reporting is ignored: nothing is reported to Bugsnag or New Relic",
      "f:6: redis.readonly is ignored: replicas lag behind deletions and are never asked",
      "f:6: redis.minidleconns is ignored: one connection, which is always open, carries all commands at once",
    ]);
  });

  it("is told by the name of the key where the rest of its section is built", () => {
    assert.deepEqual(warningsOf("catalog: {maxentries: 5}\nredis: {db: 1, readonly: true}"), [
      "f:2: redis.readonly is ignored: replicas lag behind deletions and are never asked",
    ]);
  });

  it("has a reason only where it is not honoured", () => {
    for (const path of Object.keys(REASONS)) {
      const below = Object.keys(KEYS).filter((row) => row === path || row.startsWith(`${path}.`));
      assert.ok(below.length > 0 && below.every((row) => KEYS[row] !== "honoured"), path);
    }
  });

  it("is told with its line by what is refused", () => {
    assert.throws(
      () => warningsOf("health: {storagedriver: {enabled: on}}\nproxy:\n  ttl: 0\n  remoteurl: https://r.example\n"),
      {
        name: "ConfigError",
        message:
          "f:4: proxy.remoteurl is refused: the pull-through cache is not built yet; take it out to start without it",
      },
    );
  });
});

describe("a deprecated key", () => {
  for (const [path, replacement] of Object.entries(DEPRECATED)) {
    it(`${path} is warned of with the one that replaced it`, () => {
      const value = path.endsWith("ignoredmediatypes") ? ["x"] : 5;
      const sentence = `f:1: ${path} is deprecated, use ${replacement}`.replaceAll("[]", "");
      assert.ok(warningsOf(documentWith(path, value)).includes(sentence));
    });
  }
});
