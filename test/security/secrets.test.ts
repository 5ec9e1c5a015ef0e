/** Secrets planted in everything that holds one: none of them is in anything that is written, served or sent. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { bcrypt } from "hash-wasm";
import { stringify } from "yaml";
import { examine } from "../../src/config/examined.ts";
import { toLine } from "../../src/config/finding.ts";
import { showConfig } from "../../src/config/show.ts";
import { until } from "../faults/until.ts";
import { basic } from "../support/access-request.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/** In every secret, in the letters that survive a URL, JSON and YAML. */
const MARK = "HIDDEN";
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

function expectNone(text: string, what: string): void {
  assert.ok(text.length > 0, `${what} is empty`);
  const at = text.indexOf(MARK);
  assert.ok(at < 0, `${what}: …${text.slice(Math.max(0, at - 200), at + 50)}…`);
  for (const encoded of [btoa(`me:${MARK}`), btoa(`alice:${MARK}`), btoa(`alice:wrong${MARK}`)]) {
    assert.ok(!text.includes(encoded), `${what} has Basic credentials`);
  }
}

/** What an operator may configure, with a secret wherever one may stand. */
async function plantedIn(folder: TemporaryFolder, endpoint: string, ports: readonly number[]): Promise<Configuration> {
  const [debug = 0, nobody = 0] = ports;
  const hash = await bcrypt({ password: MARK, salt: Buffer.alloc(16), costFactor: 5, outputType: "encoded" });
  await writeFile(folder.join("htpasswd"), `alice:${hash}\nbob:{SHA}${MARK}\n`);
  const url = endpoint.replace("//", `//me:${MARK}@`);
  const smtp = { addr: `127.0.0.1:${nobody}`, username: "me", password: MARK, insecure: true };
  const hooks = [{ type: "mail", levels: ["error"], options: { smtp, from: "r@example.com", to: ["o@example.com"] } }];
  return {
    log: { level: "debug", accesslog: { disabled: false }, hooks },
    auth: { htpasswd: { realm: "r", path: folder.join("htpasswd") } },
    storage: { cache: { blobdescriptor: "redis" } },
    redis: { addrs: [`127.0.0.1:${nobody}`], username: "me", password: MARK, sentinelpassword: MARK },
    http: { secret: MARK, debug: { addr: `127.0.0.1:${debug}`, prometheus: { enabled: true } } },
    health: {
      http: [
        {
          uri: `http://me:${MARK}@127.0.0.1:${nobody}/?token=${MARK}`,
          headers: { "X-Key": [MARK] },
          interval: "50ms",
          threshold: 1000,
        },
      ],
    },
    notifications: {
      endpoints: [
        { name: "good", url: `${url}?token=${MARK}`, headers: { Authorization: [`Bearer ${MARK}`] } },
        {
          name: "bad",
          url: `http://me:${MARK}@127.0.0.1:${nobody}/hooks/${MARK}?token=${MARK}`,
          headers: { "X-Key": [MARK] },
        },
      ],
    },
    wharfinger: { audit: { file: folder.join("audit") }, datadir: folder.join("data") },
  };
}

const SENT: Readonly<Record<string, string>> = {
  Cookie: MARK,
  "Proxy-Authorization": `Basic ${btoa(`me:${MARK}`)}`,
  "X-Registry-Auth": MARK,
  "X-Registry-Config": MARK,
  Referer: `http://me:${MARK}@there/?password=${MARK}`,
};

const LOGINS = [
  basic("alice", MARK),
  basic("alice", `wrong${MARK}`),
  basic("nobody", MARK),
  `Bearer ${MARK}`,
  `Basic ${MARK}`,
  `Digest username="x", response="${MARK}"`,
  MARK,
];

interface Told {
  /** All that was answered but the `Location` of uploads. */
  readonly text: string;
  /** With which anybody could take over an upload. */
  readonly states: readonly string[];
}

/** Requests of every kind with secrets in them. */
async function ask(registry: RegistryProcess): Promise<Told> {
  const told: string[] = [];
  const states: string[] = [];
  for (const authorization of LOGINS) {
    const headers = { ...SENT, Authorization: authorization };
    const started = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST", headers });
    const location = started.headers.get("location") ?? `/v2/a/blobs/uploads/x?_state=${MARK}`;
    states.push(...new URL(location, registry.url).searchParams.getAll("_state").filter((state) => state !== MARK));
    const digest = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"; // of "x"
    for (const path of [
      `/v2/?token=${MARK}`,
      `/v2/?%61ccess_token=${MARK}`,
      `/nowhere?_state=${MARK}`,
      `/v2/a/tags/list?password=${MARK}`,
      `${location}&digest=${digest}`,
    ]) {
      for (const method of ["GET", "PATCH", "PUT"]) {
        const body = method === "PUT" ? { body: "x" } : {};
        const answer = await fetch(new URL(path, registry.url), { method, headers, redirect: "manual", ...body });
        const shown = [...answer.headers].filter(([name]) => name !== "location");
        told.push(JSON.stringify(shown), await answer.text());
      }
    }
  }
  return { text: told.join("\n"), states };
}

describe("secrets", () => {
  test("GHSA-c37v-3c8w-crq8: no log, page, answer, trace, event or file tells one", async () => {
    await using folder = await temporaryFolder("secrets");
    await using receiver = await startReceiver();
    const debug = await freePort();
    const configuration = await plantedIn(folder, receiver.url, [debug, await freePort()]);
    await using registry = await startRegistry("wharfinger", {
      rootDirectory: "",
      driver: { inmemory: {} },
      configuration,
      env: { OTEL_TRACES_EXPORTER: "console", HTTP_PROXY: "", NO_PROXY: "*" },
    });
    const { text, states } = await ask(registry);
    expectNone(text, "an answer");
    await receiver.has(({ events }) => events.length > 0);
    expectNone(JSON.stringify(receiver.events), "an event");
    for (const path of ["/metrics", "/debug/vars", "/debug/health"]) {
      expectNone(await (await fetch(`http://127.0.0.1:${debug}${path}`)).text(), path);
    }
    await until("every part has complained", async () => /bad.*ECONNREFUSED|ECONNREFUSED.*bad/.test(registry.log));
    await writeFile(folder.join("htpasswd"), `alice-without-a-colon-${MARK}\n`);
    assert.equal(
      (await fetch(`${registry.url}/v2/`, { headers: { Authorization: basic("alice", MARK) } })).status,
      503,
    );
    await registry.stop();
    assert.match(registry.log, /traceId/);
    assert.equal(states.length, 1);
    for (const state of states) assert.ok(!registry.log.includes(state.slice(0, 40)), "the log has a _state");
    expectNone(registry.log, "the log");
    expectNone(await readFile(folder.join("audit"), "utf8"), "the audit log");
    expectNone((await readFile(folder.join("data", "notifications.db"))).toString("latin1"), "the queue");
  });

  test("GHSA-c37v-3c8w-crq8: config show and config check tell none, in a good configuration and in a bad one", async () => {
    await using folder = await temporaryFolder("secrets");
    const planted = await plantedIn(folder, "http://127.0.0.1:1/events", [1, 2]);
    const good = { version: "0.1", ...planted, storage: { inmemory: {}, cache: { blobdescriptor: "redis" } } };
    const bad = [
      { http: { secret: [MARK] } },
      { redis: { addrs: ["a:1"], password: { of: MARK } } },
      { notifications: { endpoints: [{ name: "a", url: `nothing://me:${MARK}@there` }] } },
      { notifications: { endpoints: [{ name: "a", url: "http://a", headers: { Authorization: `Bearer ${MARK}` } }] } },
      {
        notifications: {
          endpoints: [{ name: "a", url: "http://a", headers: { Authorization: [`Bearer ${MARK}\n`] } }],
        },
      },
      { health: { http: [{ uri: `nothing://me:${MARK}@there` }] } },
      { storage: { s3: { bucket: "b", accesskey: "a", secretkey: [MARK] } } },
      { storage: { s3: { bucket: "b", region: "r", accesskey: "a", regionendpoint: `x://me:${MARK}@there` } } },
      { proxy: { remoteurl: `http://me:${MARK}@there`, password: MARK } },
      { auth: { "./none.js": { key: MARK } } },
      { http: { host: `nothing://me:${MARK}@there` } },
    ];
    for (const section of [{}, ...bad]) {
      const { config, findings } = examine(stringify({ ...good, ...section }), "config.yml", {});
      expectNone(`${findings.map(toLine).join("\n")}\n${config ? showConfig(config) : ""}`, JSON.stringify(section));
    }
    await writeFile(folder.join("config.yml"), stringify(good));
    for (const command of ["show", "check"]) {
      const args = [MAIN, "config", command, folder.join("config.yml")];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      expectNone(stdout + stderr, `config ${command}`);
    }
  });

  test("a secret in a variable is in no message about it", () => {
    const names = [
      "HTTP_SECRET",
      "REDIS_PASSWORD",
      "NONE_SECRET",
      "STORAGE_S3_SECRETKEY",
      "NOTIFICATIONS_ENDPOINTS_0_URL",
    ];
    for (const name of names) {
      for (const value of [MARK, `[${MARK}]`, `{a: ${MARK}`, `x://me:${MARK}@there`]) {
        const env = { [`REGISTRY_${name}`]: value, REGISTRY_NO_SUCH_KEY: "x" };
        const { findings } = examine("version: 0.1\nstorage: inmemory\n", "config.yml", env);
        expectNone(findings.map(toLine).join("\n"), `${name}=${value}`);
      }
    }
  });
});
