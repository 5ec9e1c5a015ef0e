import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { freePort } from "../support/free-port.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { type RegistryKind, startRegistry } from "../support/registry-process.ts";
import { run } from "../support/run.ts";
import { bulkyImage } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("metrics after skopeo's push and pull", { skip: unlessDebian("docker-registry", "skopeo") }, () => {
  test("have every name of Debian's docker-registry with its labels, and the same counts of requests", async () => {
    const [theirs, ours] = [await metricsOf("docker-registry"), await metricsOf("wharfinger")];
    const [theirSeries, ourSeries] = [labelsByName(theirs), labelsByName(ours)];
    assert.ok(theirSeries.size > 10);
    for (const [name, labels] of theirSeries) assert.deepEqual(ourSeries.get(name), labels, name);
    const puts = (text: string): string | undefined =>
      /^registry_http_requests_total\{code="201",handler="manifest",method="put"\} .*$/m.exec(text)?.[0];
    assert.equal(puts(ours), puts(theirs));
    assert.match(puts(ours) ?? "", / 1$/);
    assert.deepEqual(bucketsOf(ours, "blob_upload_chunk"), bucketsOf(theirs, "blob_upload_chunk"));
  });
});

test("metrics are served where the configuration says, and only where it switches them on", async () => {
  for (const [prometheus, status] of [
    [{ enabled: true, path: "/numbers" }, 200],
    [{ enabled: false, path: "/numbers" }, 404],
  ] as const) {
    const debugPort = await freePort();
    await using registry = await startRegistry("wharfinger", {
      rootDirectory: "",
      driver: { inmemory: {} },
      configuration: { http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus } } },
    });
    const answer = await fetch(`http://127.0.0.1:${debugPort}/numbers`);
    assert.equal(answer.status, status);
    assert.equal(/providing prometheus metrics on \/numbers/.test(registry.log), prometheus.enabled);
    assert.equal((await fetch(`${registry.url}/numbers`)).status, 404);
  }
});

/** @returns what `/metrics` says after an image went up and came down */
async function metricsOf(kind: RegistryKind): Promise<string> {
  await using folder = await temporaryFolder("metrics");
  const debugPort = await freePort();
  await using registry = await startRegistry(kind, {
    rootDirectory: folder.join("data"),
    configuration: {
      storage: { cache: { blobdescriptor: "inmemory" } },
      http: { debug: { addr: `127.0.0.1:${debugPort}`, prometheus: { enabled: true } } },
    },
  });
  await writeOciLayout(folder.join("layout"), { image: bulkyImage(100_000, 3) });
  const remote = `docker://${registry.host}/team/app:v1`;
  const skopeo = (...args: readonly string[]): Promise<string> => run("skopeo", ["--insecure-policy", "copy", ...args]);
  await skopeo("--dest-tls-verify=false", `oci:${folder.join("layout")}:image`, remote);
  await skopeo("--src-tls-verify=false", remote, `dir:${folder.join("pulled")}`);
  return await (await fetch(`http://127.0.0.1:${debugPort}/metrics`)).text();
}

/** The names of series that begin with `registry_`, each with the names of its labels. */
function labelsByName(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.matchAll(/^(registry_\w+)(?:\{(.*)\})? /gm);
  return new Map(
    [...lines].map(([, name = "", labels = ""]) => [
      name,
      [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label ?? "").sort(),
    ]),
  );
}

function bucketsOf(text: string, handler: string): readonly number[] {
  const lines = text.split("\n").filter((line) => line.startsWith("registry_http_re") && line.includes(`"${handler}"`));
  const bounds = lines.flatMap((line) => /_bucket\{.*le="([^"]+)"/.exec(line)?.[1] ?? []);
  return [...new Set(bounds.map(Number))].sort((a, b) => a - b);
}
