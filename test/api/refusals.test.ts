/** What clients and the log are told where access control lets nobody in. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AccessController } from "../../src/auth/access-controller.ts";
import { CheckedController } from "../../src/auth/checked-controller.ts";
import { SillyController } from "../../src/auth/silly.ts";
import { TooManyRequests, Unauthorized, Unavailable } from "../../src/oci/errors.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";

function throwing(error: unknown): AccessController {
  const authorize = (): never => {
    throw error;
  };
  return { name: "throwing", authorize, [Symbol.asyncDispose]: async () => undefined };
}

const SECRET = "Basic c2VjcmV0OnNlY3JldA==";

describe("a request that is not let in", () => {
  test("is told to the log with its reason, and with nothing that was sent", async () => {
    await using api = await startApi(new MemoryDriver(), {
      access: throwing(new Unauthorized("Test", [], "wrong password")),
    });
    const { status } = await api.send("GET", "/v2/a/tags/list?x=hidden", { headers: { authorization: SECRET } });
    assert.equal(status, 401);
    const [line, ...others] = api.log.filter((one) => one.includes("authorizing"));
    assert.match(line ?? "", /level=warning msg="error authorizing context: wrong password" .*http.request.method=GET/);
    assert.match(line ?? "", /http.request.remoteaddr="?127\.0\.0\.1/);
    assert.doesNotMatch(api.log.join(), /c2VjcmV0|secret|hidden/);
    assert.deepEqual(others, []);
  });

  for (const [what, error, status, code] of [
    ["a controller that fails", new TypeError("broken"), 503, "UNAVAILABLE"],
    ["one that throws what is no error", "broken", 503, "UNAVAILABLE"],
    ["one that cannot tell", new Unavailable("broken"), 503, "UNAVAILABLE"],
    ["one that has too much to do", new TooManyRequests("broken"), 429, "TOOMANYREQUESTS"],
  ] as const) {
    test(`${what} lets nobody in, on no route`, async () => {
      await using api = await startApi(new MemoryDriver(), { access: throwing(error), faulty: true });
      for (const [method, path] of [
        ["GET", "/v2/"],
        ["POST", "/v2/a/blobs/uploads/"],
        ["DELETE", "/v2/a/blobs/uploads/x"],
      ] as const) {
        const answer = await api.send(method, path);
        assert.equal(answer.status, status);
        assert.equal(answer.headers["retry-after"], "5");
        const [{ code: told, detail }] = JSON.parse(answer.body.toString()).errors;
        assert.equal(told, code);
        if (!(error instanceof TooManyRequests || error instanceof Unavailable)) assert.doesNotMatch(detail, /broken/);
      }
      assert.match(api.log.join("\n"), /error authorizing context: broken/);
    });
  }

  test("a controller that grants nothing clear lets nobody in", async () => {
    const unclear = { name: "unclear", authorize: () => ({}), [Symbol.asyncDispose]: async () => undefined };
    const access = new CheckedController(unclear as unknown as AccessController);
    await using api = await startApi(new MemoryDriver(), { access, faulty: true });
    assert.equal((await api.send("GET", "/v2/")).status, 503);
  });

  test("header injection: a name cannot end the challenge's line", async () => {
    const access = new SillyController({ realm: "r", service: "s" });
    await using api = await startApi(new MemoryDriver(), { access });
    for (const name of ["a%0d%0aSet-Cookie:%20x", "a%22b", "%e2%86%92", "%ff", "a%00"]) {
      const answer = await api.send("GET", `/v2/${name}/tags/list`);
      assert.ok([400, 401, 404].includes(answer.status), `${name}: ${answer.status}`);
      assert.equal(answer.headers["set-cookie"], undefined);
    }
  });
});
