import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./load.ts";

function warningsOf(classes: string): readonly string[] {
  const text = `version: 0.1\nstorage: inmemory\npolicy: {repository: {classes: ${classes}}}\n`;
  return parseConfig(text, "f", {}).warnings;
}

test("a class that no manifest is of is warned of, and others are not", () => {
  assert.deepEqual(warningsOf("[image, plugin]"), []);
  assert.deepEqual(warningsOf("[]"), []);
  assert.deepEqual(warningsOf("[image, Plugin]"), [
    'f:3: policy.repository.classes has "Plugin", which no manifest is of, use image or plugin',
  ]);
});
