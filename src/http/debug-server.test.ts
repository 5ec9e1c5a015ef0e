import assert from "node:assert/strict";
import { test } from "node:test";
import { createDebugServer, type DebugPages } from "./debug-server.ts";

const METRICS = { path: "/numbers", contentType: "text/x-metrics", read: async () => "a 1\n" };

test("health is 200 and empty, or 503 with what fails", async () => {
  const failures: Record<string, string> = {};
  await using server = await start({ failures: () => failures });
  const well = await server.get("/debug/health?x=y");
  assert.deepEqual([well.status, await well.text()], [200, "{}"]);
  assert.equal(well.headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(well.headers.get("content-length"), "2");
  failures["/down"] = "file exists";
  const ailing = await server.get("/debug/health");
  assert.deepEqual([ailing.status, await ailing.text()], [503, '{"/down":"file exists"}']);
});

test("metrics are at their path", async () => {
  await using server = await start({ metrics: METRICS });
  const answer = await server.get("/numbers");
  assert.deepEqual([answer.status, await answer.text()], [200, "a 1\n"]);
  assert.equal(answer.headers.get("content-type"), "text/x-metrics");
});

test("variables are JSON", async () => {
  await using server = await start({ variables: () => ({ a: [1] }) });
  assert.deepEqual(await (await server.get("/debug/vars")).json(), { a: [1] });
});

for (const [method, path] of [
  ["POST", "/debug/health"],
  ["HEAD", "/debug/health"],
  ["POST", "/debug/health/down"],
  ["POST", "/debug/health/up"],
  ["GET", "/debug/pprof/"],
  ["POST", "/debug/vars"],
  ["GET", "/metrics"],
  ["GET", "/v2/"],
  ["GET", "/"],
] as const) {
  test(`${method} ${path} is not found`, async () => {
    await using server = await start({});
    assert.equal((await server.get(path, method)).status, 404);
  });
}

test("a page that fails ends its connection, and the others go on", async () => {
  await using server = await start({ metrics: { ...METRICS, read: () => Promise.reject(new Error("broken")) } });
  await assert.rejects(server.get("/numbers"));
  assert.equal((await server.get("/debug/health")).status, 200);
});

test("a port that is taken is said", async () => {
  await using server = await start({});
  await using other = createDebugServer(PAGES);
  await assert.rejects(other.listen("127.0.0.1", server.port), { code: "EADDRINUSE" });
});

const PAGES: DebugPages = { failures: () => ({}), variables: () => ({}) };

async function start(pages: Partial<DebugPages>): Promise<Running> {
  const server = createDebugServer({ ...PAGES, ...pages });
  const address = await server.listen("127.0.0.1", 0);
  return {
    port: Number(address.split(":")[1]),
    get: (path, method = "GET") => fetch(`http://${address}${path}`, { method }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Running extends AsyncDisposable {
  readonly port: number;
  get(path: string, method?: string): Promise<Response>;
}
