import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Environment } from "./environment.ts";
import { parseConfig } from "./load.ts";
import { numberOfWorkers } from "./worker-rules.ts";

function configOf(storage: string, workers: string, more = "", env: Environment = {}) {
  const text = `version: 0.1\nstorage: ${storage}\nwharfinger: {workers: ${workers}}\n${more}`;
  return parseConfig(text, "test", env).config;
}

const ISSUED = "http: {addr: ':443', tls: {letsencrypt: {cachefile: /c, email: a@b.example, hosts: [a.example]}}}";

describe("wharfinger.workers", () => {
  test("is 1 where nobody says otherwise", () => {
    assert.equal(parseConfig("version: 0.1\nstorage: inmemory", "test", {}).config.wharfinger.workers, 1);
  });

  for (const [storage, workers, more, expected] of [
    ["filesystem", "3", "", 3],
    ["filesystem", "1", "", 1],
    ["filesystem", "auto", "", 8],
    ["filesystem", "AUTO", "", 8],
    ["inmemory", "auto", "", 1],
    ["inmemory", "1", "", 1],
    ["filesystem", "auto", ISSUED, 1],
  ] as const) {
    test(`is ${expected} on 8 cores with ${workers} over ${storage} ${more === "" ? "" : "and letsencrypt"}`, () => {
      assert.equal(numberOfWorkers(configOf(storage, workers, more), 8), expected);
    });
  }

  test("is no more with auto than could be given", () => {
    assert.equal(numberOfWorkers(configOf("filesystem", "auto"), 192), 128);
  });

  test("is a variable as every key", () => {
    const env = { REGISTRY_WHARFINGER_WORKERS: "4" };
    assert.equal(configOf("filesystem", "auto", "", env).wharfinger.workers, 4);
  });

  for (const workers of ["0", "-1", "129", "1.5", "many", "''"]) {
    test(`is not ${workers}`, () => {
      assert.throws(
        () => configOf("filesystem", workers),
        /wharfinger\.workers is .*, but must be auto, or a whole number from 1 to 128/,
      );
    });
  }

  for (const [storage, more, reason] of [
    ["inmemory", "", /wharfinger\.workers is "2", but storage\.inmemory is the memory of one process: use 1 or auto/],
    ["filesystem", ISSUED, /wharfinger\.workers is "2", but http\.tls\.letsencrypt proves in one process/],
  ] as const) {
    test(`is refused above 1 where one process has what all would need: ${reason.source.slice(37, 60)}`, () => {
      assert.throws(() => configOf(storage, "2", more), reason);
    });
  }
});
