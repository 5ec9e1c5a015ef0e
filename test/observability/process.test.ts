import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { bcrypt } from "hash-wasm";
import { until } from "../faults/until.ts";
import { freePort } from "../support/free-port.ts";
import { startMailServer } from "../support/mail-server.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("health", () => {
  test("that fails is answered 503 everywhere until the check succeeds again", async () => {
    await using folder = await temporaryFolder("health");
    const debugPort = await freePort();
    const file = folder.join("down");
    await using registry = await start({
      health: { file: [{ file, interval: "50ms" }], storagedriver: { enabled: true, interval: "50ms" } },
      http: { debug: { addr: `127.0.0.1:${debugPort}` } },
    });
    const health = `http://127.0.0.1:${debugPort}/debug/health`;
    assert.equal(await (await fetch(health)).text(), "{}");
    await writeFile(file, "");
    await until("it is unhealthy", async () => (await fetch(health)).status === 503);
    assert.deepEqual(await (await fetch(health)).json(), { [file]: "file exists" });
    for (const path of ["/", "/v2/", "/v2/a/manifests/v1", "/nowhere"]) {
      const answer = await fetch(registry.url + path);
      assert.equal(answer.status, 503, path);
      assert.equal(answer.headers.get("content-type"), "application/json");
      assert.deepEqual(await answer.json(), {
        errors: [
          {
            code: "UNAVAILABLE",
            message: "service unavailable",
            detail: "health check failed: please see /debug/health",
          },
        ],
      });
    }
    await rename(file, folder.join("up"));
    await until("it is healthy", async () => (await fetch(health)).status === 200);
    assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
    assert.match(
      registry.log,
      /level=warning msg="health check fails: requests are answered 503" check=\S+ failure="file exists"/,
    );
    assert.match(registry.log, /level=info msg="health check succeeds again"/);
  });

  test("checks with one name stop the start", async () => {
    const tcp = [{ addr: "localhost:1" }, { addr: "localhost:1" }];
    await assert.rejects(
      start({ health: { tcp } }),
      /health\.tcp\[0\]\.addr is "localhost:1", but must be what no other check has/,
    );
  });
});

test("a debug port that is taken stops the start with one sentence", async () => {
  await using registry = await start({});
  await assert.rejects(
    start({ http: { debug: { addr: registry.host } } }),
    /cannot listen on 127\.0\.0\.1:\d+ \(http\.debug\.addr\): another program uses this port; stop it, or set http\.debug\.addr/,
  );
});

describe("the log", () => {
  for (const [formatter, completed] of [
    [
      "text",
      /^time="[^"]+" level=info msg="response completed" .*http\.request\.id=\S+ .*instance\.id=\S+ service=mine version=\S+$/m,
    ],
    [
      "json",
      /^\{"http\.request\.host":.*"instance\.id":"[^"]+","level":"info","msg":"response completed","service":"mine","time":"[^"]+","version":"[^"]+"\}$/m,
    ],
    [
      "logstash",
      /^\{"@timestamp":"[^"]+","@version":"1","http\.request\.host":.*"level":"info","message":"response completed","service":"mine","version":"[^"]+"\}$/m,
    ],
  ] as const) {
    test(`has a line a request as ${formatter}, written by the end at the latest`, async () => {
      await using registry = await start({ log: { formatter, fields: { service: "mine" } } });
      for (let i = 0; i < 20; i++) await fetch(`${registry.url}/v2/`);
      await registry.stop();
      assert.match(registry.log, completed);
      assert.equal(registry.log.match(/response completed/g)?.length, 20);
    });
  }

  test("says where a line comes from, with reportcaller", async () => {
    await using registry = await start({ log: { reportcaller: true } });
    await registry.stop();
    assert.match(registry.log, /msg="data in [^\n]* file="cli\/greeting\.ts:\d+" func=greet /);
  });

  test("is mailed where a hook asks for its level", async () => {
    await using server = await startMailServer();
    const options = { smtp: { addr: `127.0.0.1:${server.port}` }, from: "r@example.com", to: ["o@example.com"] };
    const hooks = [{ type: "mail", levels: ["error"], options }];
    await using registry = await start({ log: { hooks } });
    await fetch(`${registry.url}/v2/`);
    await fetch(`${registry.url}/v2/team/tags/list`);
    await registry.stop();
    assert.equal(server.mails.length, 1);
    assert.match(server.mails[0]?.text ?? "", /^Subject: \[error\] 127\.0\.0\.1: response completed with error/m);
    assert.match(server.mails[0]?.text ?? "", /^vars\.name: team\r$/m);
  });
});

describe("the audit log", () => {
  test("has every write by the end, goes on in a new file after SIGHUP, and loses nothing between", async () => {
    await using folder = await temporaryFolder("audit");
    const file = folder.join("audit.jsonl");
    await using registry = await start({ wharfinger: { audit: { file } } });
    const write = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" });
    };
    await write();
    await rename(file, folder.join("audit.jsonl.1"));
    process.kill(registry.pid, "SIGHUP");
    await write();
    assert.equal(await registry.stop(), 0);
    const [older, newer] = [await linesOf(folder.join("audit.jsonl.1")), await linesOf(file)];
    assert.equal(older.length + newer.length, 100);
    assert.ok(newer.length > 0);
    assert.ok(
      [...older, ...newer].every(
        ({ action, repository, status }) => action === "push" && repository === "a" && status === 202,
      ),
    );
    assert.equal(new Set([...older, ...newer].map(({ id }) => id)).size, 100);
  });

  test("tells of logins that failed who was tried, and from where as far as listed proxies say", async () => {
    await using folder = await temporaryFolder("audit");
    const hash = await bcrypt({ password: "right", salt: randomBytes(16), costFactor: 5, outputType: "encoded" });
    await writeFile(folder.join("htpasswd"), `alice:${hash}\n`);
    const file = folder.join("audit.jsonl");
    await using registry = await start({
      auth: { htpasswd: { realm: "r", path: folder.join("htpasswd") } },
      wharfinger: { audit: { file, pulls: false }, trustedproxies: ["127.0.0.1"] },
    });
    const basic = (text: string): string => `Basic ${btoa(text)}`;
    for (const [method, path, authorization] of [
      ["GET", "/v2/", basic("alice:wrong")],
      ["GET", "/v2/a/tags/list", basic("eve:right")],
      ["POST", "/v2/a/blobs/uploads/", `Bearer e30.${Buffer.from('{"sub":"robot"}').toString("base64url")}.x`],
      ["GET", "/v2/", basic("alice:right")],
      ["POST", "/v2/a/blobs/uploads/", basic("alice:right")],
    ] as const) {
      const headers = { Authorization: authorization, "X-Forwarded-For": "10.9.9.9, 10.1.2.3" };
      await (await fetch(registry.url + path, { method, headers })).bytes();
    }
    await registry.stop();
    const lines = await linesOf(file);
    assert.deepEqual(
      lines.map(({ action, allowed, status, user, claimed }) => [action, allowed, status, user, claimed]),
      [
        ["authenticate", false, 401, "", "alice"],
        ["pull", false, 401, "", "eve"],
        ["push", false, 401, "", "robot"],
        ["push", true, 202, "alice", undefined],
      ],
    );
    assert.ok(lines.every(({ address, peer }) => address === "10.1.2.3" && peer === "127.0.0.1"));
  });

  test("to a file that cannot be written stops the start", async () => {
    await assert.rejects(
      start({ wharfinger: { audit: { file: "/dev/null/x" } } }),
      /configuration error: \S+: wharfinger\.audit\.file: the file cannot be written: /,
    );
  });

  test("goes to stdout where it is called -", async () => {
    await using registry = await start({ wharfinger: { audit: { file: "-", pulls: false } } });
    await fetch(`${registry.url}/v2/a/tags/list`);
    await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" });
    await registry.stop();
    assert.deepEqual(
      registry.log.match(/^\{"time".*"action":"\w+"/gm)?.map((line) => line.slice(-13)),
      ['ction":"push"'],
    );
  });
});

/** Its storage is in memory. */
async function start(configuration: Configuration): Promise<RegistryProcess> {
  return await startRegistry("wharfinger", { rootDirectory: "", driver: { inmemory: {} }, configuration });
}

async function linesOf(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
