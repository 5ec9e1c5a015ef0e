import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "../../test/faults/until.ts";
import { type Api, startApi } from "../../test/support/api.ts";
import type { AccessController } from "../auth/access-controller.ts";
import { digestOf } from "../oci/digest.ts";
import { TooManyRequests, Unauthorized } from "../oci/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { type AuditOptions, auditLine } from "./audit.ts";
import { TrustedProxies } from "./forwarding.ts";

const NOW = new Date("2026-11-21T02:50:40.123Z");
const BYTES = Buffer.from("a blob");
const DIGEST = digestOf(BYTES);

/** Lets in who says `Bearer <name>`; only `ci` may push. */
const CONTROLLER: AccessController = {
  name: "of the test",
  authorize({ headers }, needed) {
    const user = /^Bearer (\w+)$/.exec(headers.authorization ?? "")?.[1];
    if (user === "busy") throw new TooManyRequests("too much to do");
    if (user === undefined || (user !== "ci" && needed.some(({ action }) => action !== "pull"))) {
      throw new Unauthorized('Bearer realm="r"', needed);
    }
    return { user, mayPull: () => true };
  },
  async [Symbol.asyncDispose]() {},
};

test("every write is told with who did it to what, from where, and what became of it", async () => {
  const lines: Line[] = [];
  await using api = await start(lines, { pulls: true });
  const ci = { Authorization: "Bearer ci", "X-Forwarded-For": "10.1.2.3", "User-Agent": "docker" };
  await api.send("POST", `/v2/a/blobs/uploads/?digest=${DIGEST}`, { headers: ci, body: BYTES });
  await api.send("POST", `/v2/b/blobs/uploads/?mount=${DIGEST}&from=a`, { headers: ci });
  await api.send("DELETE", `/v2/b/blobs/${DIGEST}`, { headers: ci });
  const common = {
    ...{ user: "ci", address: "127.0.0.1", forwarded: "10.1.2.3", peer: "127.0.0.1", agent: "docker" },
    allowed: true,
  };
  assert.deepEqual(lines.map(withoutId), [
    { ...common, method: "POST", action: "push", repository: "a", digest: DIGEST, status: 201 },
    { ...common, method: "POST", action: "mount", repository: "b", digest: DIGEST, from: "a", status: 201 },
    { ...common, method: "DELETE", action: "delete", repository: "b", reference: DIGEST, digest: DIGEST, status: 202 },
  ]);
  assert.ok(lines.every(({ time }) => time === NOW.toISOString()));
  assert.equal(new Set(lines.map(({ id }) => id)).size, 3);
});

test("whatever was refused to somebody is told, with the name they gave", async () => {
  const lines: Line[] = [];
  await using api = await start(lines, { pulls: false });
  await api.send("GET", "/v2/");
  await api.send("GET", "/v2/a/manifests/v1", { headers: { Authorization: `Basic ${btoa("eve:HIDDEN")}` } });
  await api.send("PUT", "/v2/a/manifests/v1", { headers: { Authorization: "Bearer reader" } });
  await api.send("PUT", "/v2/a/manifests/v1", { headers: { Authorization: "Bearer busy" } });
  await api.send("DELETE", "/v2/a/manifests/v1", { headers: { Authorization: tokenOf("mallory") } });
  const told = lines.map(({ action, allowed, status, user, claimed }) => [action, allowed, status, user, claimed]);
  assert.deepEqual(told, [
    ["authenticate", false, 401, "", undefined],
    ["pull", false, 401, "", "eve"],
    ["push", false, 401, "", undefined],
    ["push", false, 429, "", undefined],
    ["delete", false, 401, "", "mallory"],
  ]);
  assert.doesNotMatch(JSON.stringify(lines), /HIDDEN/);
});

for (const [trusted, told, line] of [
  [undefined, "10.1.2.3", { address: "127.0.0.1", forwarded: "10.1.2.3" }],
  ["127.0.0.1", "10.1.2.3", { address: "10.1.2.3" }],
  ["127.0.0.1", "10.9.9.9, 10.1.2.3", { address: "10.1.2.3" }],
  ["192.0.2.1", "10.1.2.3", { address: "127.0.0.1" }],
] as const) {
  test(`the address is ${line.address} where ${trusted ?? "nobody"} is trusted and a proxy tells ${told}`, async () => {
    const lines: Line[] = [];
    await using api = await start(lines, { pulls: true }, trusted);
    await api.send("GET", "/v2/a/tags/list", { headers: { Authorization: "Bearer ci", "X-Forwarded-For": told } });
    const { address, forwarded, peer } = lines[0] ?? {};
    assert.deepEqual({ address, forwarded, peer }, { forwarded: undefined, ...line, peer: "127.0.0.1" });
  });
}

test("what only reads is told unless that is switched off, and what nobody is asked for never", async () => {
  for (const pulls of [true, false]) {
    const lines: Line[] = [];
    await using api = await start(lines, { pulls });
    const headers = { Authorization: "Bearer ci" };
    await api.send("GET", "/v2/a/tags/list", { headers });
    await api.send("GET", "/v2/_catalog", { headers });
    for (const path of ["/", "/v2/", "/nowhere"]) await api.send("GET", path, { headers });
    assert.deepEqual(
      lines.map(({ action, status, error }) => [action, status, error]),
      pulls
        ? [
            ["pull", 404, "NAME_UNKNOWN"],
            ["catalog", 200, undefined],
          ]
        : [],
    );
  }
});

test("a client that leaves before its answer is told of with its address", async () => {
  const lines: Line[] = [];
  const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow: AccessController = {
    ...CONTROLLER,
    async authorize() {
      asked.resolve();
      await gone.promise;
      return { user: "ci" };
    },
  };
  await using api = await start(lines, { pulls: true }, undefined, slow);
  const socket = connect(api.port, "127.0.0.1");
  socket.write("DELETE /v2/a/manifests/v1 HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked.promise;
  socket.destroy();
  await until("the line is there", () => lines.length === 1);
  gone.resolve();
  assert.deepEqual([lines[0]?.["status"], lines[0]?.["address"], lines[0]?.["peer"]], [499, "127.0.0.1", "127.0.0.1"]);
});

test("a line stays a line whatever a client sends", async () => {
  const texts: string[] = [];
  await using api = await startApi(new MemoryDriver(), {
    observers: [{ answered: (exchange) => texts.push(auditLine(exchange, NOW, { pulls: true }) ?? "") }],
  });
  await api.send("GET", "/v2/a%0a%22b/tags/list", { headers: { "User-Agent": 'x"\t{}' } });
  assert.equal(texts.length, 1);
  assert.match(texts[0] ?? "", /^[^\n]+\n$/);
  assert.equal(JSON.parse(texts[0] ?? "").agent, 'x"\t{}');
});

type Line = Readonly<Record<string, unknown>>;

/** That nobody signed. */
function tokenOf(sub: string): string {
  return `Bearer e30.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.`;
}

async function start(
  lines: Line[],
  options: AuditOptions,
  trusted?: string,
  access: AccessController = CONTROLLER,
): Promise<Api> {
  return await startApi(new MemoryDriver(), {
    access,
    ...(trusted !== undefined && { trustedProxies: new TrustedProxies([trusted]) }),
    observers: [
      {
        answered(exchange) {
          const line = auditLine(exchange, NOW, options);
          if (line !== undefined) lines.push(JSON.parse(line) as Line);
        },
      },
    ],
  });
}

function withoutId({ id: _, time: _time, ...line }: Line): Line {
  return line;
}
