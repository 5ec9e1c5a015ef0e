import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { TrustedProxies } from "../../src/http/forwarding.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { until } from "../faults/until.ts";
import { type ApiOptions, startApi } from "../support/api.ts";
import { expectError, noise, startUpload } from "../support/api-content.ts";

const OFF = { rate: 0, burst: 0 };
/** A token in a hundred thousand seconds: none comes in while a test runs. */
const TWO = { rate: 0.00001, burst: 2 };

function limited(
  over: Partial<NonNullable<ApiOptions["limits"]>>,
  options: ApiOptions = {},
): ReturnType<typeof startApi> {
  return startApi(new MemoryDriver(), { limits: { uploads: 0, address: OFF, user: OFF, ...over }, ...options });
}

describe("a limit", () => {
  test("of requests by address refuses with 429 and says when to come again", async () => {
    await using api = await limited({ address: TWO });
    for (let count = 0; count < 2; count += 1) assert.equal((await api.send("GET", "/v2/")).status, 200);
    const answer = await api.send("PUT", "/v2/a/manifests/x", { body: noise(100_000) });
    assert.match(String(expectError(answer, 429, "TOOMANYREQUESTS")), /address/);
    assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
  });

  test("of requests by address goes by what listed proxies tell, and by nothing that others do", async () => {
    await using api = await limited({ address: TWO }, { trustedProxies: new TrustedProxies(["127.0.0.1"]) });
    const from = (address: string): Promise<number> =>
      api.send("GET", "/v2/", { headers: { "X-Forwarded-For": address } }).then(({ status }) => status);
    assert.deepEqual([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.1")], [200, 200, 429]);
    assert.equal(await from("192.0.2.2"), 200);
    assert.equal(await from("192.0.2.7, 192.0.2.1"), 429);
    await using other = await limited({ address: TWO });
    for (const [address, status] of [
      ["192.0.2.1", 200],
      ["192.0.2.2", 200],
      ["192.0.2.3", 429],
    ] as const) {
      const answer = await other.send("GET", "/v2/", { headers: { "X-Forwarded-For": address } });
      assert.equal(answer.status, status);
    }
  });

  test("of requests by user counts each of them, wherever they come from", async () => {
    const access = {
      authorize: async ({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }) => ({
        user: String(headers["authorization"] ?? ""),
      }),
    };
    await using api = await limited({ user: TWO }, { access: access as unknown as NonNullable<ApiOptions["access"]> });
    const as = (user: string): Promise<number> =>
      api.send("GET", "/v2/", { headers: user === "" ? {} : { Authorization: user } }).then(({ status }) => status);
    assert.deepEqual([await as("a"), await as("a"), await as("a"), await as("b")], [200, 200, 429, 200]);
    assert.deepEqual([await as(""), await as(""), await as("")], [200, 200, 200]);
  });

  test("of uploads refuses the one too many, and takes it when another has ended", async () => {
    await using api = await limited({ uploads: 1 });
    const location = await startUpload(api, "a");
    const other = await startUpload(api, "a");
    const headers = { Expect: "100-continue", "Transfer-Encoding": "chunked" };
    const first = request(`${api.origin}${location}`, { method: "PATCH", headers });
    first.flushHeaders();
    await once(first, "continue"); // by now it holds the place
    expectError(await api.send("PATCH", other, { body: "x" }), 429, "TOOMANYREQUESTS");
    assert.equal((await api.send("GET", "/v2/")).status, 200);
    const answered = once(first, "response");
    first.end();
    await answered;
    await startUpload(api, "a");
    first.destroy();
  });

  test("of connections closes the one too many at once", async () => {
    await using api = await startApi(new MemoryDriver(), { connections: 1 });
    const first = connect(api.port, "127.0.0.1");
    await once(first, "connect");
    first.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(first, "data");
    assert.equal(await api.raw("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n"), "");
    first.destroy();
    await until("there is room again", async () => (await api.raw("GET /v2/ HTTP/1.0\r\n\r\n")) !== "");
  });
});
