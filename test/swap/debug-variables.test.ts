import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../faults/until.ts";
import { unlessDebian } from "../setup.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { contentOf } from "../support/image.ts";
import { startRedis } from "../support/redis.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type RegistryKind, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** As JSON reads it. */
type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** Those of Go's own whose figures Node has none of. */
const MEMORY = ["Alloc", "Sys", "HeapAlloc", "HeapSys", "HeapIdle", "HeapInuse"];

describe("the variables of the debug server", { skip: unlessDebian("docker-registry", "redis-server") }, () => {
  test("have the names and shapes of docker-registry's, and none of its secrets", async () => {
    const [theirs, ours] = [await variablesOf("docker-registry"), await variablesOf("wharfinger")];
    assert.match(JSON.stringify(theirs), /HIDDEN/);
    assert.doesNotMatch(JSON.stringify(ours), /HIDDEN/);
    const shapes = pathsOf(theirs["registry"] ?? null);
    assert.ok(shapes.length > 30);
    const our = new Set(pathsOf(ours["registry"] ?? null));
    assert.deepEqual(
      shapes.filter((path) => !our.has(path)),
      [],
    );
    const memory = ours["memstats"] as Readonly<Record<string, Value>>;
    for (const name of MEMORY) assert.ok(Number(memory[name]) > 0, name);
    assert.ok(Array.isArray(ours["cmdline"]));
  });

  test("say of endpoints what docker-registry says after the same requests", async () => {
    const [theirs, ours] = [await variablesOf("docker-registry"), await variablesOf("wharfinger")];
    const [their, our] = [theirs, ours].map((all) => {
      const { notifications } = all["registry"] as { notifications: { endpoints: Record<string, Value>[] } };
      return notifications.endpoints.map(({ url: _, Headers: _headers, ...rest }) => rest);
    });
    assert.deepEqual(our, their);
  });
});

/** What it says after one push that an endpoint has taken. */
async function variablesOf(kind: RegistryKind): Promise<Readonly<Record<string, Value>>> {
  await using folder = await temporaryFolder("variables");
  await using redis = await startRedis(["--requirepass", "HIDDEN"]);
  await using receiver = await startReceiver();
  const debugPort = await freePort();
  const url = `${receiver.url.replace("//", "//me:HIDDEN@")}?token=HIDDEN`;
  await using registry = await startRegistry(kind, {
    rootDirectory: folder.path,
    configuration: {
      storage: { cache: { blobdescriptor: "redis" } },
      redis: { addr: redis.address, password: "HIDDEN" },
      http: { debug: { addr: `127.0.0.1:${debugPort}` } },
      notifications: {
        endpoints: [
          {
            ...{ name: "one", url, headers: { Authorization: ["Bearer HIDDEN"] }, timeout: "20s", threshold: 3 },
            ...{ backoff: "1500ms", ignore: { mediatypes: ["text/x", "text/y"], actions: ["pull"] } },
          },
          { name: "off", url, disabled: true },
        ],
      },
    },
  });
  const http = new RegistryClient(registry.url);
  await http.pushBlob("a", contentOf(Buffer.from("bytes"), "any"));
  await receiver.has(({ events }) => events.length === 1);
  let text = "";
  await until("the delivery is counted", async () => {
    text = await (await fetch(`http://127.0.0.1:${debugPort}/debug/vars`)).text();
    return /"Statuses": ?\{"200 OK": ?1\}/.test(text);
  });
  return JSON.parse(text) as Record<string, Value>;
}

/** Each leaf with the kind it has; a list is a list, be it null, empty or full. */
function pathsOf(value: Value, at = ""): readonly string[] {
  if (value === null || Array.isArray(value)) {
    const [first] = value ?? [];
    return [`${at}: list`, ...(typeof first === "object" ? pathsOf(first, `${at}[]`) : [])];
  }
  if (typeof value !== "object") return [`${at}: ${typeof value}`];
  return Object.entries(value).flatMap(([key, child]) => pathsOf(child, `${at}.${key}`));
}
