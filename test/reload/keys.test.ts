/** What a changed configuration changes while the registry serves, and what not. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bcrypt } from "hash-wasm";
import { stringify } from "yaml";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { until } from "../faults/until.ts";
import { basic } from "../support/access-request.ts";
import { type ChangingRegistry, countOf, startChanging } from "../support/changing-registry.ts";
import { freePort } from "../support/free-port.ts";
import { contentOf, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type Configuration, registryConfiguration } from "../support/registry-process.ts";
import { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { publicJwk } from "../support/tokens.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const IMAGE = imageOf([layerOfArchive(noise(1000, 1), "none")]);
const IMAGE_TEXT = Buffer.from(IMAGE.manifest.bytes).toString();
const LAYER = IMAGE.blobs[0]?.descriptor.digest;
const BLOB = contentOf(noise(100_000, 2), "application/octet-stream");

interface Row {
  /** As the log names it. */
  readonly key: string;
  /** Laid over the standard configuration before and after; over `over` as well. */
  readonly base?: Configuration;
  readonly over: (place: ChangingRegistry) => Promise<Configuration> | Configuration;
  /** What can be seen of it: one thing before and after, another between. */
  readonly seen: (place: ChangingRegistry) => Promise<unknown>;
  readonly before: unknown;
  readonly between: unknown;
}

const statusOf = async ({ http }: ChangingRegistry, method: string, path: string): Promise<number> => {
  const answer = await http.request(path, { method });
  await answer.bytes();
  return answer.status;
};

const ALICE = { Authorization: basic("alice", "x") };

/** @returns a section `auth` that lets in {@link ALICE} alone */
async function aliceAlone({ folder }: ChangingRegistry): Promise<Configuration> {
  const hash = await bcrypt({ password: "x", salt: randomBytes(16), costFactor: 4, outputType: "encoded" });
  await writeFile(folder.join("users"), `alice:${hash}\n`);
  return { htpasswd: { realm: "here", path: folder.join("users") } };
}

/** @returns the `Location` of a new upload */
const locationOf = async ({ http }: ChangingRegistry, headers: Record<string, string> = {}): Promise<string> =>
  (await http.request("a/blobs/uploads/", { method: "POST", headers })).headers.get("Location") ?? "";

/** @returns the status of a push by digest */
const pushedAs = async ({ http }: ChangingRegistry, type: string, manifest: string): Promise<number> => {
  const path = `a/manifests/${digestOf(Buffer.from(manifest))}`;
  return (await http.request(path, { method: "PUT", body: manifest, headers: { "Content-Type": type } })).status;
};

/** An index whose only child is not there. */
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests: [{ mediaType: MediaType.ociManifest, digest: digestOf(Buffer.from("none")), size: 4 }],
});

/** Opens as many connections at once. @returns how many were answered */
async function answeredAtOnce({ registry }: ChangingRegistry, count: number): Promise<number> {
  using stack = new DisposableStack();
  const answers = Array.from({ length: count }, async () => {
    const socket = stack.adopt(connect(registry.port, "127.0.0.1"), (one) => void one.destroy());
    socket.on("error", () => undefined).write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    const answered = once(socket, "data").then(() => true);
    return await Promise.race([answered, once(socket, "close").then(() => false)]).catch(() => false);
  });
  return (await Promise.all(answers)).filter((answered) => answered).length;
}

const ROWS: readonly Row[] = [
  {
    key: "http.headers",
    over: () => ({ http: { headers: { "X-Harbour": ["calm"] } } }),
    seen: async ({ http }) => (await http.request("")).headers.get("X-Harbour"),
    before: null,
    between: "calm",
  },
  {
    key: "auth.htpasswd",
    over: async (place) => ({ auth: await aliceAlone(place) }),
    seen: async (place) => [
      await statusOf(place, "GET", ""),
      (await place.http.request("", { headers: ALICE })).status,
    ],
    before: [200, 200],
    between: [401, 200],
  },
  {
    key: "storage.delete.enabled",
    over: () => ({ storage: { delete: { enabled: false } } }),
    seen: (place) => statusOf(place, "DELETE", `none/blobs/${BLOB.descriptor.digest}`),
    before: 404,
    between: 405,
  },
  {
    key: "storage.maintenance.readonly.enabled",
    over: () => ({ storage: { maintenance: { readonly: { enabled: true } } } }),
    seen: (place) => statusOf(place, "POST", "a/blobs/uploads/"),
    before: 202,
    between: 405,
  },
  {
    key: "tags.maxtags",
    over: () => ({ tags: { maxtags: 1 } }),
    seen: async ({ http }) => {
      const answer = await http.request("a/tags/list?n=2");
      return ((await answer.json()) as { tags?: string[] }).tags?.length ?? answer.status;
    },
    before: 2,
    between: 1,
  },
  {
    key: "wharfinger.limits.address.rate",
    over: () => ({ wharfinger: { limits: { address: { rate: 0.0001, burst: 1 } } } }),
    seen: async (place) => [await statusOf(place, "GET", ""), await statusOf(place, "GET", "")],
    before: [200, 200],
    between: [200, 429],
  },
  {
    key: "wharfinger.limits.user",
    over: async (place) => ({
      auth: await aliceAlone(place),
      wharfinger: { limits: { user: { rate: 0.0001, burst: 1 } } },
    }),
    seen: async ({ http }) => {
      const as = async (): Promise<number> => (await http.request("", { headers: ALICE })).status;
      return [await as(), await as()];
    },
    before: [200, 200],
    between: [200, 429],
  },
  {
    key: "wharfinger.limits.connections",
    over: () => ({ wharfinger: { limits: { connections: 5 } } }),
    seen: async (place) => (await answeredAtOnce(place, 10)) > 5,
    before: true,
    between: false,
  },
  {
    key: "wharfinger.trustedproxies",
    base: { http: { relativeurls: false } },
    over: () => ({ http: { relativeurls: false }, wharfinger: { trustedproxies: ["192.0.2.0/24"] } }),
    seen: async (place) =>
      (await locationOf(place, { "X-Forwarded-Host": "quay.example" })).includes("//quay.example/"),
    before: true,
    between: false,
  },
  {
    key: "http.host",
    base: { http: { relativeurls: false } },
    over: () => ({ http: { relativeurls: false, host: "https://quay.example" } }),
    seen: async (place) => (await locationOf(place)).startsWith("https://quay.example/v2/"),
    before: false,
    between: true,
  },
  {
    key: "http.relativeurls",
    over: () => ({ http: { relativeurls: false } }),
    seen: async (place) => (await locationOf(place)).startsWith(place.registry.url),
    before: false,
    between: true,
  },
  {
    key: "http.prefix",
    over: () => ({ http: { prefix: "/quay/" } }),
    seen: async (place) => [
      (await fetch(`${place.registry.url}/quay/v2/`)).status,
      await statusOf(place, "GET", "a/tags/list"),
    ],
    before: [404, 200],
    between: [200, 404],
  },
  {
    key: "policy.repository.classes",
    over: () => ({ policy: { repository: { classes: ["plugin"] } } }),
    seen: async (place) => await pushedAs(place, IMAGE.manifest.descriptor.mediaType, IMAGE_TEXT),
    before: 201,
    between: 403,
  },
  {
    key: "validation.manifests.indexes.platforms",
    over: () => ({ validation: { manifests: { indexes: { platforms: "none" } } } }),
    seen: async (place) => await pushedAs(place, MediaType.ociIndex, INDEX),
    before: 400,
    between: 201,
  },
  {
    key: "catalog.maxentries",
    over: () => ({ catalog: { maxentries: 4 } }),
    seen: (place) => statusOf(place, "GET", "_catalog?n=5"),
    before: 200,
    between: 400,
  },
  {
    key: "middleware.storage",
    over: () => ({ middleware: { storage: [{ name: "redirect", options: { baseurl: "http://127.0.0.1:1/" } }] } }),
    seen: (place) => statusOf(place, "GET", `a/blobs/${LAYER}`),
    before: 200,
    between: 307,
  },
];

describe("SIGHUP", () => {
  for (const { key, base = {}, over, seen, before, between } of ROWS) {
    test(`has ${key} take effect, and takes it back`, async () => {
      await using place = await startChanging(base);
      for (const tag of ["one", "two"]) await place.http.push("a", tag, IMAGE);
      assert.deepEqual(await seen(place), before);
      assert.match(
        await place.change(await over(place)),
        new RegExp(`configuration reloaded: [^\\n]*${key}[^\\n]* changed`),
      );
      assert.deepEqual(await seen(place), between);
      assert.match(await place.change(base), new RegExp(`configuration reloaded: [^\\n]*${key}[^\\n]* changed`));
      assert.deepEqual(await seen(place), before);
    });
  }

  test("has log.level take effect, and takes it back", async () => {
    await using place = await startChanging();
    const { http, registry } = place;
    await place.write({ log: { level: "error" }, http: { headers: { "X-Harbour": ["calm"] } } });
    process.kill(registry.pid, "SIGHUP");
    await until("it counted", async () => (await http.request("")).headers.has("X-Harbour"));
    const failing = async (since: number): Promise<void> => {
      await statusOf(place, "GET", "a/tags/list");
      await until("what fails is logged", () => /name unknown/.test(registry.log.slice(since)));
    };
    await failing(0); // behind the lines of requests that came before
    const before = registry.log.length;
    await statusOf(place, "GET", "");
    await failing(before);
    assert.doesNotMatch(registry.log.slice(before), /response completed"/);
    assert.match(await place.change({}), /configuration reloaded: log\.level, http\.headers changed/);
    await statusOf(place, "GET", "");
    await until("requests are logged", () => /response completed".*\n*$/.test(registry.log));
  });

  test("has log.accesslog.disabled take effect, and takes it back", async () => {
    await using place = await startChanging();
    const accessed = (): readonly string[] =>
      [...place.registry.log.matchAll(/"GET \/v2\/(\w+)\/tags\/list HTTP\/1\.1" 404/g)].map(([, name = ""]) => name);
    await statusOf(place, "GET", "first/tags/list");
    const logged = await place.change({ log: { accesslog: { disabled: false } } });
    assert.match(logged, /configuration reloaded: log\.accesslog\.disabled changed/);
    await statusOf(place, "GET", "second/tags/list");
    await until("the access log has a line", () => accessed().length > 0);
    await place.change({});
    await statusOf(place, "GET", "third/tags/list");
    await place.registry.stop(); // which writes what there is to be written
    assert.deepEqual(accessed(), ["second"]);
  });

  test("has auth.token take effect, and another realm of it", async () => {
    await using place = await startChanging();
    const jwks = place.folder.join("jwks.json");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFile(jwks, JSON.stringify({ keys: [publicJwk(privateKey, { kid: "k" })] }));
    const within = (realm: string): Configuration => ({
      auth: { token: { realm, service: "here", issuer: "we", jwks } },
    });
    const challenge = async (): Promise<string | undefined> =>
      /realm="([^"]*)"/.exec((await place.http.request("")).headers.get("WWW-Authenticate") ?? "")?.[1];
    assert.equal(await challenge(), undefined);
    await place.change(within("https://one.example/token"));
    assert.equal(await challenge(), "https://one.example/token");
    const logged = await place.change(within("https://two.example/token"));
    assert.match(logged, /configuration reloaded: auth\.token\.realm changed/);
    assert.equal(await challenge(), "https://two.example/token");
    await place.change({});
    assert.equal(await challenge(), undefined);
  });

  test("has wharfinger.limits.uploads take effect, and takes it back", async () => {
    await using place = await startChanging();
    const limited = await place.change({ wharfinger: { limits: { uploads: 1 } } });
    assert.match(limited, /configuration reloaded: wharfinger\.limits\.uploads changed/);
    const first = request(`${place.registry.url}${await locationOf(place)}`, { method: "PATCH" });
    first.on("error", () => undefined).write("some");
    const begun = (): Promise<number> => statusOf(place, "POST", "a/blobs/uploads/");
    await until("the first upload holds the place", async () => (await begun()) === 429);
    await place.change({});
    assert.equal(await begun(), 202);
    first.destroy();
  });

  test("has pages of the debug server tell of the endpoints and the health checks that count now", async () => {
    const port = await freePort();
    const debug = { http: { debug: { addr: `127.0.0.1:${port}`, prometheus: { enabled: true } } } };
    await using place = await startChanging(debug);
    const read = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    const endpoints = async (): Promise<unknown> => {
      const { registry } = JSON.parse(await read("/debug/vars")) as {
        registry: { notifications: { endpoints: { name: string }[] } };
      };
      return registry.notifications.endpoints.map(({ name }) => name);
    };
    const checks = async (): Promise<number> => countOf(await read("/metrics"), /^wharfinger_health_check_up\{/gm);
    const seen = async (): Promise<unknown> => [await endpoints(), await checks()];
    assert.deepEqual(await seen(), [[], 0]);
    const endpoint = { name: "one", url: "http://127.0.0.1:1/" };
    const health = { file: [{ file: place.folder.join("none") }] };
    await place.change({ ...debug, notifications: { endpoints: [endpoint] }, health });
    assert.deepEqual(await seen(), [["one"], 1]);
    await place.change({ ...debug, notifications: { endpoints: [{ ...endpoint, name: "two" }] } });
    assert.deepEqual(await seen(), [["two"], 0]);
    await place.change(debug);
    assert.deepEqual(await seen(), [[], 0]);
  });

  test("changes nothing where nothing changed, and says so", async () => {
    await using place = await startChanging();
    assert.match(await place.reload(), /level=info msg="configuration reloaded: nothing changed"/);
  });

  for (const [what, text, reason] of [
    ["no YAML", "version: 0.1\nstorage: [", /config\.yml:2/],
    [
      "invalid in one value",
      "version: 0.1\nstorage: inmemory\nlog: {level: loud}\n",
      /config\.yml:3: invalid loglevel loud/,
    ],
  ] as const) {
    test(`leaves everything as it is where the file is ${what}, and says why`, async () => {
      await using place = await startChanging();
      const log = await place.change(text);
      assert.match(log, /level=error msg="the configuration was not reloaded, and the one before stays: /);
      assert.match(log, reason);
      assert.equal(await statusOf(place, "POST", "a/blobs/uploads/"), 202);
      assert.match(await place.change({}), /nothing changed/);
    });
  }

  test("leaves everything as it is where a part cannot be opened", async () => {
    await using place = await startChanging();
    await writeFile(place.folder.join("users"), "no line of a password file\n:");
    const broken = {
      http: { headers: { "X-Harbour": ["calm"] } },
      wharfinger: { audit: { file: `${place.folder.join("users")}/no/folder` } },
    };
    assert.match(
      await place.change(broken),
      /not reloaded, .*config\.yml:\d+: wharfinger\.audit\.file: the file cannot be written/,
    );
    const headers = (await place.http.request("")).headers;
    assert.equal(headers.get("X-Harbour"), null);
  });

  test("makes no password file where its path is mistyped, and says where that stands", async () => {
    await using place = await startChanging();
    const path = place.folder.join("mistyped", "users");
    const log = await place.change({ auth: { htpasswd: { realm: "here", path } } });
    assert.match(log, /not reloaded, .*config\.yml:\d+: auth\.htpasswd\.path: there is no file .*mistyped\/users, /);
    assert.equal(existsSync(place.folder.join("mistyped")), false);
    assert.equal(await statusOf(place, "GET", ""), 200);
  });

  test("warns of what is ignored once, and again where it was gone meanwhile", async () => {
    const [warned, deprecated] = [{ reporting: { bugsnag: { apikey: "x" } } }, /reporting\S* is ignored/];
    await using place = await startChanging(warned);
    assert.match(place.registry.log, deprecated);
    assert.doesNotMatch(await place.change({ ...warned, http: { headers: { "X-Harbour": ["calm"] } } }), deprecated);
    await place.change({});
    assert.match(await place.change(warned), deprecated);
  });

  test("warns of each key that needs a restart, and heeds the others", async () => {
    await using place = await startChanging();
    const log = await place.change({
      http: {
        addr: "127.0.0.1:1",
        secret: "another",
        headers: { "X-Harbour": ["calm"] },
        debug: { addr: "127.0.0.1:1" },
      },
      storage: { filesystem: { maxthreads: 30 } },
      wharfinger: { timeouts: { idle: "5s" }, exclusive: true },
    });
    for (const key of [
      "http.addr",
      "http.secret",
      "http.debug.addr",
      "storage.filesystem.maxthreads",
      "wharfinger.timeouts.idle",
      "wharfinger.exclusive",
    ])
      assert.match(log, new RegExp(`level=warning msg="${key} changed; restart for it to take effect"`));
    assert.match(log, /msg="configuration reloaded: http\.headers changed"/);
    assert.doesNotMatch(log, /another/);
    assert.equal((await place.http.request("")).headers.get("X-Harbour"), "calm");
  });

  test("keeps what the storage in memory holds, and uploads in progress whose secret is random", async () => {
    await using place = await startChanging({ http: { secret: "" } }, { driver: { inmemory: {} } });
    const { http } = place;
    await http.push("a", "one", IMAGE);
    const half = BLOB.bytes.length >> 1;
    const upload = await http.append(await http.startUpload("a"), BLOB.bytes.subarray(0, half));
    assert.match(
      await place.change({ http: { secret: "", headers: { "X-Harbour": ["calm"] } } }),
      /http\.headers changed/,
    );
    await http.finishUpload(upload, BLOB.descriptor.digest, BLOB.bytes.subarray(half));
    await http.expectImage("a", "one", IMAGE);
    await http.expectBlob("a", BLOB);
  });

  test("does what the last one asks for, where several come at once", async () => {
    await using place = await startChanging();
    for (const value of ["first", "second", "last"]) {
      await place.write({ http: { headers: { "X-Harbour": [value] } } });
      process.kill(place.registry.pid, "SIGHUP");
      process.kill(place.registry.pid, "SIGHUP");
    }
    await until("the last one counts, and nothing is left to do", async () => {
      const { headers } = await place.http.request("");
      return headers.get("X-Harbour") === "last" && (await place.reload()).includes("nothing changed");
    });
  });

  test("leaves a failing health check failing, and the purge of uploads as it was planned", async () => {
    const purge = (interval: string): Configuration => ({
      storage: { maintenance: { uploadpurging: { enabled: true, age: "168h", interval, dryrun: false } } },
    });
    await using place = await startChanging();
    const watched = { health: { file: [{ file: place.folder.join("config.yml"), interval: "50ms" }] } };
    await place.change({ ...watched, ...purge("24h") });
    await until("the check failed", async () => (await statusOf(place, "GET", "")) === 503);
    await place.change({ ...watched, ...purge("24h"), http: { headers: { "X-Harbour": ["calm"] } } });
    assert.equal(await statusOf(place, "GET", ""), 503);
    assert.equal(countOf(place.registry.log, /health check fails/g), 1);
    assert.equal(countOf(place.registry.log, /Starting upload purge/g), 1);
    await place.change(purge("25h"));
    assert.equal(await statusOf(place, "GET", ""), 200);
    assert.equal(countOf(place.registry.log, /Starting upload purge/g), 2);
  });

  test("ends and begins the purge of uploads with maintenance that is read-only", async () => {
    const storage = (enabled: boolean): Configuration => ({
      storage: {
        maintenance: {
          readonly: { enabled },
          uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
        },
      },
    });
    await using place = await startChanging(storage(true));
    const begun = (): number => countOf(place.registry.log, /Starting upload purge/g);
    assert.equal(begun(), 0);
    for (const [enabled, count] of [
      [false, 1],
      [true, 1],
      [false, 2],
    ] as const) {
      assert.match(await place.change(storage(enabled)), /readonly\.enabled changed/);
      await until("the purge is as wanted", () => begun() === count);
    }
  });

  test("harms nothing while the registry starts or ends", async () => {
    const asked = Promise.withResolvers<void>();
    const [keys, answered] = [createServer(), Promise.withResolvers<void>()];
    await using stack = new AsyncDisposableStack();
    stack.defer(() => void keys.close());
    keys.on("request", async (_request, response) => {
      asked.resolve();
      await answered.promise;
      response.end(JSON.stringify({ keys: [] }));
    });
    keys.listen(0, "127.0.0.1");
    await once(keys, "listening");
    const jwks = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`;
    const folder = stack.use(await temporaryFolder("start"));
    const token = { realm: "http://127.0.0.1/", service: "here", issuer: "we", jwks };
    await writeFile(
      folder.join("config.yml"),
      stringify(registryConfiguration(folder.join("data"), await freePort(), { auth: { token } })),
    );
    const registry = stack.use(new ServerProcess(process.execPath, [MAIN, "serve", folder.join("config.yml")]));
    await asked.promise;
    process.kill(registry.pid, "SIGHUP");
    answered.resolve();
    await registry.says(/nothing changed/);
    process.kill(registry.pid, "SIGTERM");
    process.kill(registry.pid, "SIGHUP");
    assert.equal(await registry.ended(), 0);
    assert.match(registry.log, /listening on .*nothing changed.*stopping server/s);
  });
});
