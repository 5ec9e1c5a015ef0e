import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedNames, withOwnNames } from "./own-names.ts";

const [x, y] = ["http://x.example/hook", "http://y.example/hook?key=secret"];

function namesOf(...endpoints: readonly (readonly [name: string, url: string])[]): readonly string[] {
  return withOwnNames(endpoints.map(([name, url]) => ({ name, url }))).map(({ name }) => name);
}

test("an endpoint keeps a name that it alone has", () => {
  assert.deepEqual(namesOf(["a", x], ["b", x]), ["a", "b"]);
});

test("endpoints with one name are told apart by their URLs, wherever they stand, and show nothing of them", () => {
  const [one = "", two = ""] = namesOf(["hook", x], ["hook", y]);
  assert.match(one, /^hook \([0-9a-f]{8}\)$/);
  assert.notEqual(one, two);
  assert.deepEqual(namesOf(["hook", y], ["other", x], ["hook", x]), [two, "other", one]);
});

test("what is left when one of them goes has the name of neither", () => {
  const before = namesOf(["hook", x], ["hook", y]);
  for (const url of [x, y]) assert.ok(!before.includes(namesOf(["hook", url])[0] ?? ""));
});

test("no two endpoints have one name, whatever they are called", () => {
  const [made = ""] = namesOf(["a", x], ["a", y]);
  const all = namesOf(["a", x], ["a", x], ["a", y], ["a (2)", x], [made, y], ["a", x]);
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(all.slice(3, 5), ["a (2)", made]);
});

test("a name that several endpoints have is said once", () => {
  const endpoints = ["a", "b", "a", "a", "c", "c"].map((name) => ({ name, url: x }));
  assert.deepEqual(sharedNames(endpoints), ["a", "c"]);
});
