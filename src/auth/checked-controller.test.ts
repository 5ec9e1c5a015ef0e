import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestWith } from "../../test/support/access-request.ts";
import { Unauthorized } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { AccessController, Grant } from "./access-controller.ts";
import { CheckedController } from "./checked-controller.ts";

const ONE = "one" as RepositoryName;

function checked(authorize: () => unknown): CheckedController {
  const inner = { name: "own", authorize, [Symbol.asyncDispose]: async () => undefined };
  return new CheckedController(inner as AccessController);
}

const ask = async (authorize: () => unknown): Promise<Grant> => await checked(authorize).authorize(requestWith(), []);

describe("a controller of somebody else's making", () => {
  for (const given of [undefined, null, true, "yes", 1, {}, { user: 1 }, { user: null }, { mayPull: () => true }]) {
    test(`lets nobody in with ${JSON.stringify(given) ?? "nothing"}, at once or later`, async () => {
      await assert.rejects(
        ask(() => given),
        /own gave no grant/,
      );
      await assert.rejects(
        ask(async () => given),
        /own gave no grant/,
      );
    });
  }

  test("lets in with a grant, of which only yes is yes", async () => {
    assert.equal((await ask(() => ({ user: "" }))).user, "");
    assert.deepEqual(Object.keys(await ask(async () => ({ user: "me" }))), ["user"]);
    for (const answer of [true, false, 1, "yes", Promise.resolve(false), undefined]) {
      const given = { user: "me", mayPull: () => answer, mayPushClass: () => answer, maySee: () => answer };
      const { mayPull, mayPushClass, maySee } = await ask(() => given);
      assert.equal(mayPushClass?.(ONE, "image"), answer === true);
      assert.equal(mayPull?.(ONE), answer === true);
      assert.equal(maySee?.(ONE), answer === true);
    }
  });

  test("answers at once where it knows at once", () => {
    assert.ok(!(checked(() => ({ user: "me" })).authorize(requestWith(), []) instanceof Promise));
  });

  test("passes on what it throws, unless no header could hold the challenge", async () => {
    const refusal = new Unauthorized("Own", []);
    const failure = new Error("broken");
    for (const error of [refusal, failure]) {
      const fail = (): never => {
        throw error;
      };
      await assert.rejects(ask(fail), (thrown) => thrown === error);
      await assert.rejects(
        ask(async () => fail()),
        (thrown) => thrown === error,
      );
    }
    for (const challenge of ["a\r\nSet-Cookie: x", "→", undefined]) {
      await assert.rejects(
        ask(() => {
          throw new Unauthorized(challenge as string, []);
        }),
        /own gave a challenge that no header can hold/,
      );
    }
  });
});
