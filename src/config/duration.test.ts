import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

describe("a duration", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["0s", 0],
    ["-0", 0],
    ["1ns", 1e-6],
    ["1500us", 1.5],
    ["1µs", 0.001],
    ["1μs", 0.001],
    ["500ms", 500],
    ["1.5s", 1500],
    [".5s", 500],
    ["5.s", 5000],
    ["1h30m", 5_400_000],
    ["168h", 604_800_000],
    ["1m1m", 120_000],
    ["+10s", 10_000],
    ["-1.5h", -5_400_000],
  ];
  for (const [text, ms] of cases) {
    it(`reads ${text} as ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of [
    "",
    "s",
    "10",
    "1.5",
    ".s",
    "1d",
    "1 h",
    " 1h",
    "1h ",
    "1H",
    "--1s",
    "1e3s",
    "0x1s",
    "9999999999h",
  ]) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }

  it("is written with the units of people", () => {
    const written = [0, 1, 999, 1000, 90_000, 3_600_000, 5_401_500, 0.0015, -500].map(formatDuration);
    assert.deepEqual(written, ["0s", "1ms", "999ms", "1s", "1m30s", "1h", "1h30m1.5s", "0.0015ms", "-500ms"]);
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        assert.equal(parseDuration(formatDuration(ms)), ms);
      }),
    );
  });

  it("is read back as it was written, to the nanosecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (ns) => {
        assert.equal(parseDuration(formatDuration(ns / 1e6)), ns / 1e6);
      }),
    );
  });
});
