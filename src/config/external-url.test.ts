import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isExternalUrl } from "./external-url.ts";

describe("an external URL", () => {
  for (const host of ["https://registry.example.com", "HTTP://a:5000", "https://a/registry/", "https://[::1]:5000"]) {
    it(`may be ${host}`, () => assert.equal(isExternalUrl(host), true));
  }

  for (const host of [
    "registry.example.com",
    "localhost:5000",
    "//a",
    "https:a",
    "https:///a",
    "https://",
    "https://a b",
  ]) {
    it(`is not ${host}`, () => assert.equal(isExternalUrl(host), false));
  }
});
