import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as errors from "./errors.ts";

const { RegistryError, RegistryErrors, ...classes } = errors;

describe("the errors of the registry", () => {
  for (const [name, Class] of Object.entries(classes)) {
    it(`have in ${name} a class that is called as it is named, with a code of the specification`, () => {
      const rights = [{ type: "repository", name: "detail", action: "pull" }]; // which one alone takes
      const error: unknown = Reflect.construct(Class, ["detail", rights]);
      assert.ok(error instanceof RegistryError && error instanceof Class);
      assert.equal(error.name, name);
      assert.match(error.code, /^[A-Z]+(_[A-Z]+)*$/);
      assert.notEqual(error.message, "");
      assert.match(JSON.stringify(error.detail), /detail|closed/); // one has a detail of its own
    });
  }

  it("can be several, in the order in which they are to be read", () => {
    const [first, second] = [new errors.ManifestInvalid("a"), new errors.ManifestBlobUnknown("b")];
    const several = new RegistryErrors([first, second]);
    assert.deepEqual(several.errors, [first, second]);
    assert.equal(several.message, "manifest invalid; blob unknown to registry");
  });

  it("tell what lies behind a failure of the storage to the log and not to the client", () => {
    const cause = new Error("disk");
    assert.equal(new errors.Unavailable("later", { cause }).cause, cause);
    assert.equal(new errors.Unknown(undefined, { cause }).detail, undefined);
  });
});
