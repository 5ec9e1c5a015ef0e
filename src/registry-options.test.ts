import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { parseConfig } from "./config/load.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { digestOf } from "./oci/digest.ts";
import type { RegistryOptions } from "./registry/context.ts";
import { toRegistryOptions } from "./registry-options.ts";

/** @param storage added to the section of that name */
function optionsOf(storage: string, ...lines: readonly string[]): RegistryOptions {
  const text = ["version: 0.1", `storage: {inmemory: {}, ${storage}}`, ...lines].join("\n");
  return toRegistryOptions(parseConfig(text, "f", {}).config);
}

describe("what a configuration says of a registry", () => {
  const CASES: readonly (readonly [storage: string, line: string, key: keyof RegistryOptions, value: unknown])[] = [
    ["", "", "deletion", false],
    ["delete: {enabled: true}", "", "deletion", true],
    ["", "", "readOnly", false],
    ["maintenance: {readonly: {enabled: true}}", "", "readOnly", true],
    ["", "", "redirect", true],
    ["redirect: {disable: true}", "", "redirect", false],
    ["", "", "schema1", false],
    ["", "compatibility: {schema1: {enabled: true}}", "schema1", true],
    ["", "", "exclusive", false],
    ["", "wharfinger: {exclusive: true}", "exclusive", true],
    ["", "", "tagConcurrency", availableParallelism()],
    ["tag: {concurrencylimit: 0}", "", "tagConcurrency", availableParallelism()],
    ["tag: {concurrencylimit: 77}", "", "tagConcurrency", 77],
  ];
  for (const [storage, line, key, value] of CASES) {
    it(`is that ${key} is ${value} where it has "${storage}${line}"`, () => {
      assert.equal(optionsOf(storage, line)[key], value);
    });
  }
});

const DIGEST = digestOf(Buffer.from("{}"));

/** @returns which platforms of children have to be there, of two named ones, one half known, and none */
function requiredBy(indexes: string): readonly string[] {
  const { requiresChild } = optionsOf("", `validation: {manifests: {indexes: {${indexes}}}}`).references;
  const child = (platform?: Descriptor["platform"]): Descriptor => ({
    ...{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: DIGEST, size: 2 },
    ...(platform && { platform }),
  });
  const children = {
    "linux/amd64": child({ os: "linux", architecture: "amd64" }),
    "linux/arm64": child({ os: "linux", architecture: "arm64" }),
    none: child(),
  };
  return Object.entries(children).flatMap(([name, one]) => (requiresChild(one) ? [name] : []));
}

describe("the children of an index that have to be there", () => {
  const LIST = "platformlist: [{os: linux, architecture: arm64}]";
  for (const [indexes, required] of [
    ["", ["linux/amd64", "linux/arm64", "none"]],
    ["platforms: all", ["linux/amd64", "linux/arm64", "none"]],
    [`platforms: all, ${LIST}`, ["linux/amd64", "linux/arm64", "none"]],
    ["platforms: none", []],
    [`platforms: list, ${LIST}`, ["linux/arm64"]],
    [`platforms: list, platformlist: [{os: windows, architecture: arm64}]`, []],
  ] as const) {
    it(`are ${required.join(", ") || "none"} where the section has "${indexes}"`, () => {
      assert.deepEqual(requiredBy(indexes), required);
    });
  }
});

describe("the foreign URLs of a manifest", () => {
  const urlsOf = (validation: string): RegistryOptions["references"]["urls"] =>
    optionsOf("", `validation: {${validation}}`).references.urls;

  it("are matched by any pattern of a list, and by none where there is no list", () => {
    const { allow, deny } = urlsOf("manifests: {urls: {allow: [^https://a/, ^https://b/]}}");
    assert.deepEqual(
      ["https://a/1", "https://b/1", "https://c/1"].map((url) => allow?.(url)),
      [true, true, false],
    );
    assert.equal(deny, undefined);
    assert.equal(urlsOf("manifests: {urls: {deny: [^https://a/]}}").deny?.("https://a/1"), true);
  });

  it("are allowed by default where validation is disabled, whatever the lists say", () => {
    const urls = urlsOf("disabled: true, manifests: {urls: {allow: [^x], deny: [^y]}}");
    assert.deepEqual(urls, { allow: undefined, deny: undefined, foreignByDefault: true });
    assert.equal(urlsOf("disabled: false").foreignByDefault, false);
  });
});
