/** Limits of requests, whatever is asked for and whatever protocol it is asked in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, test } from "node:test";
import type { AccessController, AccessRequest } from "../../src/auth/access-controller.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { until } from "../faults/until.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { pushBlob, startUpload } from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";
import { Http2Client } from "../support/http2-client.ts";
import { PATHS } from "../support/route-paths.ts";

const OFF = { rate: 0, burst: 0 };
/** A token in a hundred thousand seconds: none comes in while a test runs. */
const ONE = { rate: 0.00001, burst: 1 };

/** Takes whatever stands in `Authorization` for a user's name. */
class Believing implements AccessController {
  readonly name = "believing";
  asked = 0;

  authorize({ headers }: AccessRequest): { user: string; mayPull: () => boolean } {
    this.asked += 1;
    return { user: headers.authorization ?? "", mayPull: () => true };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function expectRefused({ status, headers, body }: Awaited<ReturnType<Api["send"]>>, what: string): void {
  assert.equal(status, 429, what);
  assert.match(headers["retry-after"] ?? "", /^\d+$/, what);
  if (what.startsWith("HEAD")) return;
  assert.equal(JSON.parse(body.toString()).errors[0].code, "TOOMANYREQUESTS", what);
}

const ASKED = Object.entries(ROUTES).flatMap(([kind, methods]) =>
  Object.keys(methods).map((method) => [method, PATHS[kind as keyof typeof PATHS]] as const),
);

for (const protocol of ["http", "h2"] as const) {
  describe(`over ${protocol}`, () => {
    test("who has used up their address's requests is refused everywhere, before anything is done", async () => {
      const access = new Believing();
      const storage = countingDriver(new MemoryDriver());
      const limits = { uploads: 0, address: ONE, user: OFF };
      await using api = await startApi(storage.driver, { protocol, access, limits });
      assert.equal((await api.send("GET", "/v2/")).status, 200);
      storage.forget();
      const others = [
        ["GET", "/nowhere"],
        ["OPTIONS", "/v2/"],
        ["PATCH", "/v2/_catalog"],
      ] as const;
      for (const [method, path] of [...ASKED, ...others]) {
        expectRefused(await api.send(method, path), `${method} ${path}`);
      }
      assert.equal(access.asked, 1);
      assert.deepEqual(storage.calls, []);
    });

    test("who has used up their user's requests is refused everywhere, before the storage is asked", async () => {
      const storage = countingDriver(new MemoryDriver());
      const limits = { uploads: 0, address: OFF, user: ONE };
      await using api = await startApi(storage.driver, { protocol, access: new Believing(), limits });
      const headers = { Authorization: "a" };
      assert.equal((await api.send("GET", "/v2/", { headers })).status, 200);
      storage.forget();
      for (const [method, path] of ASKED) {
        const answer = await api.send(method, path, { headers });
        if (path === PATHS.root) assert.equal(answer.status, 200, "it is asked for by whoever balances loads");
        else expectRefused(answer, `${method} ${path}`);
      }
      assert.deepEqual(storage.calls, []);
    });

    test("who sends too much is refused without the others waiting or being refused", async () => {
      const storage = countingDriver(new MemoryDriver());
      const limits = { uploads: 0, address: OFF, user: { rate: 0.00001, burst: 20 } };
      await using api = await startApi(storage.driver, { protocol, access: new Believing(), limits });
      const digest = await pushBlob(api, "a", Buffer.from("some"));
      const ask = (user: string): Promise<number> =>
        api.send("GET", `/v2/a/blobs/${digest}`, { headers: { Authorization: user } }).then(({ status }) => status);
      const [many, few] = await Promise.all([
        Promise.all(Array.from({ length: 200 }, () => ask("many"))),
        Promise.all(Array.from({ length: 20 }, () => ask("few"))),
      ]);
      assert.equal(many.filter((status) => status === 200).length, 20);
      assert.equal(many.filter((status) => status === 429).length, 180);
      assert.ok(few.every((status) => status === 200));
    });
  });
}

describe("uploads at a time", () => {
  const limited = (options: ApiOptions = {}): Promise<Api> =>
    startApi(new MemoryDriver(), { protocol: "h2c", limits: { uploads: 1, address: OFF, user: OFF }, ...options });

  test("count together, whether they come over HTTP/1 or HTTP/2", async () => {
    await using api = await limited();
    const [held, other, last] = [await startUpload(api, "a"), await startUpload(api, "a"), await startUpload(api, "a")];
    using client = await Http2Client.open(api.origin);

    const overHttp1 = request(`${api.origin}${held}`, { method: "PATCH" });
    overHttp1.write("some");
    await until("HTTP/1 holds the place", async () => (await api.send("PATCH", other, { body: "x" })).status === 429);
    overHttp1.end();
    await once(overHttp1, "response");

    const overHttp2 = client.request("PATCH", last);
    overHttp2.write("some");
    const refused = await untilRefused(`${api.origin}${held}`);
    assert.match(refused ?? "", /^\d+$/);
    overHttp2.end();
    await once(overHttp2, "response");
    assert.equal((await api.send("POST", PATHS.uploads)).status, 202);
    overHttp1.destroy();
  });

  test("are free again after a client of HTTP/2 that went away", async () => {
    await using api = await limited();
    const [held, other] = [await startUpload(api, "a"), await startUpload(api, "a")];
    const client = await Http2Client.open(api.origin);
    client.request("PATCH", held).write("some");
    await until("it holds the place", async () => (await api.send("PATCH", other, { body: "x" })).status === 429);
    client[Symbol.dispose]();
    await until("it is free", async () => (await api.send("POST", PATHS.uploads)).status === 202);
  });
});

/** By HTTP/1. @returns its Retry-After */
async function untilRefused(url: string): Promise<string | undefined> {
  let told: string | undefined;
  await until("HTTP/2 holds the place", async () => {
    const { status, headers } = await fetch(url, { method: "PATCH", body: "x" });
    told = headers.get("retry-after") ?? undefined;
    return status === 429;
  });
  return told;
}
