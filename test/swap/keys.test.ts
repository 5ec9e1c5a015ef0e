/**
 * The same configuration, as a file and as variables, in Debian's docker-registry 2.8 and in us: a table of what is seen of
 * each key, and one of values that no registry starts with. The tables are in keys/.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { ConfigError } from "../../src/config/config-error.ts";
import { KEYS } from "../../src/config/keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { checkParameters } from "../../src/driver-parameters.ts";
import { unlessDebian } from "../setup.ts";
import { freePort } from "../support/free-port.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import type { RegistryKind } from "../support/registry-process.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import type { Effect, Group } from "./keys/effect.ts";
import { groupsOf } from "./keys/effects.ts";
import { ELSEWHERE, NEW_IN_3 } from "./keys/elsewhere.ts";
import { type Outside, startOutside } from "./keys/outside.ts";
import { NOWHERE, type Place, writeFiles } from "./keys/place.ts";
import { REFUSALS, type Refusal } from "./keys/refusals.ts";
import { merge, type Section, sectionOf, variableOf } from "./keys/row.ts";
import { Seen } from "./keys/seen.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const KINDS = ["docker-registry", "wharfinger"] as const;
/** What groups of keys are called; what is in them depends on the place. */
const GROUPS = groupsOf(NOWHERE);

/**
 * How long what a registry does in its own time is waited for: not so long that a check without an interval looks twice.
 * Without the key there is nothing to wait for. ms
 */
const [PATIENCE, LITTLE] = [15_000, 300];

type Variables = Readonly<Record<string, string>>;

describe("a key of config.yml", { skip: unlessDebian("docker-registry", "redis-server") }, () => {
  let folder: TemporaryFolder;
  let redis: Redis;
  let outside: Outside;
  let shared: Omit<Place, "folder" | "port" | "debug">;
  const stack = new AsyncDisposableStack();
  before(async () => {
    folder = stack.use(await temporaryFolder("keys"));
    redis = stack.use(await startRedis(["--requirepass", "open"]));
    outside = stack.use(await startOutside());
    shared = { redis: redis.address, outside, ...(await writeFiles(folder)) };
  });
  after(() => stack.disposeAsync());

  const newPlace = async (): Promise<Place> => {
    const path = folder.join(crypto.randomUUID());
    await mkdir(path);
    return { ...shared, folder: path, port: await freePort(), debug: await freePort() };
  };

  for (const [index, { name, effects }] of GROUPS.entries()) {
    const groupIn = (place: Place): Group => groupsOf(place)[index] ?? assert.fail("there is such a group");

    const settingsOf = (place: Place): Section => {
      const group = groupIn(place);
      return takeOneDriver(
        merge(baseOf(place, group), ...group.effects.map(({ key, value }) => sectionOf(key, value))),
      );
    };
    const variablesOf = (place: Place): Variables => Object.fromEntries(groupIn(place).effects.map(variableOfEffect));

    for (const kind of KINDS) {
      test(`does in ${kind} what it is there for: ${name}`, async () => {
        const place = await newPlace();
        const group = groupIn(place);
        assert.deepEqual(await observe(kind, place, settingsOf(place), group, {}), expectedOf(group, kind));
      });
    }

    // One shows that a process of ours heeds its environment; the others would cost more than all else here.
    for (const kind of index === 0 ? KINDS : (["docker-registry"] as const)) {
      test(`does so in ${kind} as a variable: ${name}`, async () => {
        const place = await newPlace();
        const [group, env] = [groupIn(place), variablesOf(place)];
        assert.deepEqual(await observe(kind, place, baseOf(place, group), group, env), expectedOf(group, kind));
      });
    }

    test(`is the same to us as a variable: ${name}`, async () => {
      const place = await newPlace();
      const base = await write(place, baseOf(place, groupIn(place)));
      const inFile = readConfig(await write(place, settingsOf(place)), {});
      assert.equal(typeof inFile, "object", String(inFile));
      assert.deepEqual(readConfig(base, variablesOf(place)), inFile);
    });

    test(`is missed where it does not stand: ${effects.map(({ key }) => key).join(", ")}`, async () => {
      const [place, unused] = [await newPlace(), await newPlace()];
      const group = groupIn(unused);
      const found = await observe("docker-registry", place, baseOf(place), group, {}, LITTLE);
      const same = Object.entries(expectedOf(group, "docker-registry")).filter(([key, expected]) =>
        Object.is(found[key], expected),
      );
      const told = group.effects.filter(({ asWithout }) => asWithout !== undefined).map(({ key }) => key);
      assert.deepEqual(
        same.map(([key]) => key),
        told,
      );
    });
  }

  /** Runs a registry with these settings and looks at it. @returns what was seen of each key */
  const observe = async (
    kind: RegistryKind,
    place: Place,
    settings: Section,
    { effects, work }: Group,
    env: Variables,
    patience = PATIENCE,
  ): Promise<Readonly<Record<string, unknown>>> => {
    await redis.ask("AUTH open\r\nFLUSHALL");
    outside.clear();
    await using server = await start(kind, place, settings, env);
    await server.says(/listening on/i);
    const seen = new Seen(server, `http://127.0.0.1:${place.port}`, join(place.folder, "root"), {
      ...{ redis, outside, patience },
    });
    await seen.statusOf("/v2/").catch(() => 0); // a line of the access log
    await work?.(seen);
    const found: Record<string, unknown> = {};
    for (const effect of effects) if (!effect.atEnd) found[effect.key] = await look(effect, seen);
    seen.exitCode = await server.stop();
    for (const effect of effects) if (effect.atEnd) found[effect.key] = await look(effect, seen);
    return found;
  };
});

describe("a value that is not accepted", { skip: unlessDebian("docker-registry"), concurrency: 2 }, () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("refusals");
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const refusal of REFUSALS) {
    const { key, value, beside = {}, noVariable, variable = [variableOf(key), toVariable(value)] } = refusal;
    const place = (): Place => ({ ...NOWHERE, folder: folder.path });
    const base = (): Section => merge(baseOf(place()), beside);

    test(`keeps both from starting: ${key} is ${JSON.stringify(value)}`, async () => {
      const settings = takeOneDriver(merge(base(), sectionOf(key, value)));
      for (const kind of KINDS) await expectRefusal(kind, place(), settings, {}, refusal);
    });

    if (noVariable !== undefined) continue;
    const [name, text] = variable;
    test(`is as little accepted as a variable: ${name}=${text}`, async () => {
      await expectRefusal("docker-registry", place(), takeOneDriver(base()), { [name]: text }, refusal);
      const settings = takeOneDriver(merge(base(), sectionOf(key, value)));
      const inFile = readConfig(await write(place(), settings), {});
      assert.deepEqual(readConfig(await write(place(), takeOneDriver(base())), { [name]: text }), inFile);
    });
  }
});

test("a configuration that is not accepted ends our process, with the sentence", {
  skip: unlessDebian("docker-registry"),
}, async () => {
  await using folder = await temporaryFolder("refused");
  const place = { ...NOWHERE, folder: folder.path };
  const settings = merge(baseOf(place), sectionOf("http.net", "udp"));
  await using server = await start("wharfinger", place, settings, {});
  assert.equal(await server.ended(), 1);
  assert.match(server.log, /^configuration error: \S+: http\.net is "udp", but must be /);
});

describe("the table of keys", () => {
  const rows = [...GROUPS.flatMap(({ effects }) => effects), ...REFUSALS].map(({ key }) => key);
  const covers = (names: readonly string[], key: string): boolean =>
    names.some((name) => name === key || (name.endsWith(".") && key.startsWith(name)));

  test("has every key of docker-registry 2.8, or says why not", () => {
    const known = [...rows, ...Object.keys(ELSEWHERE), ...Object.keys(NEW_IN_3)];
    assert.deepEqual(
      Object.keys(KEYS).filter((key) => !covers(known, key)),
      [],
    );
  });

  test("leaves out no key that it has, and none that is not there", () => {
    for (const name of [...Object.keys(ELSEWHERE), ...Object.keys(NEW_IN_3)]) {
      assert.ok(
        Object.keys(KEYS).some((key) => covers([name], key)),
        `${name} is no key`,
      );
      assert.ok(!rows.some((key) => covers([name], key)), `${name} has a row`);
    }
  });

  test("names only tests that are there, and that name the key", () => {
    for (const [key, reason] of Object.entries(NEW_IN_3)) {
      const [file = "", why] = reason.split(": ");
      assert.match(file, /\.test\.ts$/, key);
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
      const name = /(\w+)\W*$/.exec(key)?.[1] ?? key;
      assert.ok(why !== undefined || text.includes(name), `${file} says nothing of ${key}`);
    }
    for (const place of Object.values(ELSEWHERE).filter((reason) => /^(?:src|test)\//.test(reason))) {
      assert.ok(existsSync(new URL(`../../${place.split(":")[0]}`, import.meta.url)), `${place} is not there`);
    }
  });

  test("has at least 60 keys", () => {
    const keys = new Set(rows.filter((key) => key in KEYS));
    assert.ok(keys.size >= 60, `${keys.size}`);
  });
});

function baseOf(place: Place, group?: Group): Section {
  const common = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: join(place.folder, "root") } },
    http: { addr: `127.0.0.1:${place.port}` },
  };
  return merge(common, group?.base ?? {});
}

/** The driver that was added takes the place of the directory. */
function takeOneDriver(settings: Section): Section {
  const storage = settings["storage"] as Section;
  const added = Object.keys(storage).some((name) => ["inmemory", "s3", "s3aws", "tape"].includes(name));
  if (!added) return settings;
  const { filesystem: _, ...others } = storage;
  return { ...settings, storage: others };
}

function expectedOf({ effects }: Group, kind: RegistryKind): Readonly<Record<string, unknown>> {
  const ours = kind === "wharfinger";
  return Object.fromEntries(effects.map(({ key, expected, old }) => [key, ours || !old ? expected : old.expected]));
}

function variableOfEffect({ key, value, variable }: Effect): readonly [string, string] {
  return variable ?? [variableOf(key), toVariable(value)];
}

/** JSON is YAML. Text goes as it is, as people write it. */
function toVariable(value: unknown): string {
  return typeof value === "string" && !/^[([]/.test(value) ? value : JSON.stringify(value);
}

async function look({ seen }: Effect, registry: Seen): Promise<unknown> {
  try {
    return await seen(registry);
  } catch (error) {
    return `failed: ${(error as Error).message}`;
  }
}

async function expectRefusal(
  kind: RegistryKind,
  place: Place,
  settings: Section,
  env: Variables,
  { key, old, names = key.replace(/(\[\]|\.\*).*$/, "") }: Refusal,
): Promise<void> {
  // A process of ours costs more than all else here, and begins by this.
  const read = kind === "wharfinger" ? readConfig(await write(place, settings), env) : undefined;
  if (typeof read === "string") return assert.ok(read.includes(names), `does not name ${names}: ${read}`);
  await using server = await start(kind, place, settings, env);
  const started = await server.says(/listening on/i).then(
    () => true,
    () => false,
  );
  if (kind === "docker-registry" && !(old instanceof RegExp)) return assert.ok(started, server.log);
  assert.ok(!started, `it starts: ${server.log}`);
  assert.ok([1, 2].includes((await server.ended()) ?? -1)); // 2 is a panic of the old one
  if (kind === "docker-registry") return assert.match(server.log, old as RegExp);
  assert.ok(server.log.includes(names), `does not name ${names}: ${server.log}`);
}

/** What we read of it, or the sentence that refuses it. */
function readConfig(path: string, env: Variables): unknown {
  try {
    return JSON.parse(JSON.stringify(loadConfig({ path, env, checkParameters }).config)); // patterns are functions
  } catch (error) {
    return error instanceof ConfigError ? error.finding.sentence : error;
  }
}

async function start(kind: RegistryKind, place: Place, settings: Section, env: Variables): Promise<ServerProcess> {
  const path = await write(place, settings);
  const [command, ...args] = kind === "docker-registry" ? ["docker-registry"] : [process.execPath, MAIN];
  // With a bundle of its own Debian's registry does not come to look at keys of S3.
  return new ServerProcess(command, [...args, "serve", path], { AWS_CA_BUNDLE: "", ...env });
}

async function write(place: Place, settings: Section): Promise<string> {
  const path = join(place.folder, `${crypto.randomUUID()}.yml`);
  await writeFile(path, stringify(settings));
  return path;
}
