import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { failingDriver } from "../../test/support/failing-driver.ts";
import { freePort } from "../../test/support/free-port.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { StorageError } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { fileCheck } from "./file-check.ts";
import { httpCheck } from "./http-check.ts";
import { storageCheck } from "./storage-check.ts";
import { tcpCheck } from "./tcp-check.ts";

const NEVER = new AbortController().signal;

test("a file check fails while there is a file", async () => {
  await using folder = await temporaryFolder("health");
  const check = fileCheck(folder.join("down"));
  assert.equal(check.name, folder.join("down"));
  await check.look(NEVER);
  await writeFile(folder.join("down"), "");
  await assert.rejects(check.look(NEVER), { message: "file exists" });
  await fileCheck(folder.join("down/below")).look(NEVER);
});

test("an HTTP check asks with HEAD and its headers, follows redirects, and wants its status", async () => {
  const asked: IncomingMessage[] = [];
  await using server = await serve((request) => {
    asked.push(request);
    return request.url === "/old" ? [302, { Location: "/new" }] : [204, {}];
  });
  const headers = { "X-Probe": ["a", "b"] };
  const at = (path: string, statuscode: number) =>
    httpCheck({ name: "n", uri: server.url + path, headers, statuscode });
  await at("/old", 204).look(NEVER);
  assert.deepEqual(
    asked.map(({ method, url, headers }) => [method, url, headers["x-probe"]]),
    [
      ["HEAD", "/old", "a, b"],
      ["HEAD", "/new", "a, b"],
    ],
  );
  await assert.rejects(at("/new", 200).look(NEVER), { message: "downstream service returned unexpected status: 204" });
});

test("SSRF: an HTTP check sends its headers and its password to no other server than its own, however often it is redirected", async () => {
  const seen: IncomingMessage[] = [];
  await using other = await serve((request) => {
    seen.push(request);
    return request.url === "/" ? [307, { Location: "/again" }] : [204, {}];
  });
  await using server = await serve(() => [302, { Location: `${other.url}/` }]);
  const uri = server.url.replace("//", "//me:password@");
  await httpCheck({ name: "n", uri, headers: { "X-Api-Key": ["k"], Cookie: ["c"] }, statuscode: 204 }).look(NEVER);
  assert.deepEqual(
    seen.map(({ url, headers }) => [url, headers["x-api-key"], headers.cookie, headers.authorization]),
    [
      ["/", undefined, undefined, undefined],
      ["/again", undefined, undefined, undefined],
    ],
  );
});

test("an HTTP check gives up where it is led in circles, or nowhere", async () => {
  await using server = await serve((request) => [301, { Location: request.url === "/none" ? "http://[" : "/" }]);
  const check = (path: string) => httpCheck({ name: "n", uri: server.url + path, headers: {}, statuscode: 200 });
  await assert.rejects(check("/").look(NEVER), { message: "stopped after 10 redirects" });
  await assert.rejects(check("/none").look(NEVER), { message: "redirected to what is no URL" });
});

test("an HTTP check sends the name and the password of its URL, and tells neither", async () => {
  const seen: (string | undefined)[] = [];
  await using server = await serve(({ headers }) => {
    seen.push(headers.authorization);
    return [401, {}];
  });
  const uri = server.url.replace("//", "//me:pass%20word@");
  await assert.rejects(
    httpCheck({ name: "n", uri, headers: {}, statuscode: 200 }).look(NEVER),
    (error: Error) => !/pass|me:/.test(error.message),
  );
  assert.deepEqual(seen, [`Basic ${btoa("me:pass word")}`]);
});

test("an HTTP check that is redirected to a URL with a password goes there without it", async () => {
  const seen: IncomingMessage[] = [];
  await using server = await serve((request) => {
    seen.push(request);
    return request.url === "/" ? [302, { Location: `${server.url.replace("//", "//u:S@")}/new` }] : [204, {}];
  });
  await httpCheck({ name: "n", uri: server.url, headers: {}, statuscode: 204 }).look(NEVER);
  assert.deepEqual(
    seen.map(({ url, headers }) => [url, headers.authorization]),
    [
      ["/", undefined],
      ["/new", undefined],
    ],
  );
});

test("an HTTP check of nobody says why it failed, and ends when nobody waits", async () => {
  const uri = `http://127.0.0.1:${await freePort()}/`;
  await assert.rejects(httpCheck({ name: "n", uri, headers: {}, statuscode: 200 }).look(NEVER), /ECONNREFUSED/);
  const stop = new AbortController();
  await using server = await serve(() => {
    stop.abort();
    return undefined;
  });
  await assert.rejects(httpCheck({ name: "n", uri: server.url, headers: {}, statuscode: 200 }).look(stop.signal));
});

test("a TCP check wants a connection", async () => {
  const server = createTcpServer((socket) => socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const check = tcpCheck({ addr: `127.0.0.1:${port}`, host: "127.0.0.1", port });
  assert.equal(check.name, `127.0.0.1:${port}`);
  await check.look(NEVER);
  server.close();
  await once(server, "close");
  await assert.rejects(check.look(NEVER), /^Error: connection to 127\.0\.0\.1:\d+ failed: .*ECONNREFUSED/);
});

test("a storage check is well where nothing is stored yet, and fails with the storage", async () => {
  const { driver, fail } = failingDriver(new MemoryDriver());
  const check = storageCheck(driver, "inmemory");
  assert.equal(check.name, "storagedriver_inmemory");
  await check.look(NEVER);
  await driver.putContent("/docker/registry/v2/x", Buffer.from("x"));
  await check.look(NEVER);
  fail("stat", () => new StorageError("inmemory", "broken"));
  await assert.rejects(check.look(NEVER), /broken/);
});

type Answer = readonly [status: number, headers: Record<string, string>];

/** @param answer undefined: never */
async function serve(answer: (request: IncomingMessage) => Answer | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    const given = answer(request);
    if (given) response.writeHead(...given).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Server extends AsyncDisposable {
  readonly url: string;
}
