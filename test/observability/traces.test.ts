import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RegistryClient } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { bulkyImage } from "../support/samples.ts";
import { startTraceCollector } from "../support/trace-collector.ts";

const PREFIX = "io.cncf.distribution.storage";

describe("traces", () => {
  test("have a span a request, in the trace that the client began, and below it the calls of the storage", async () => {
    await using collector = await startTraceCollector();
    const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    {
      await using registry = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "mine" });
      const client = new RegistryClient(registry.url);
      await client.push("team/app", "v1", bulkyImage(1000, 1));
      const headers = { traceparent: `00-${trace}-${parent}-01` };
      await fetch(`${registry.url}/v2/team/app/tags/list?n=1&token=HIDDEN`, { headers });
      await fetch(`${registry.url}/nowhere`);
    }
    assert.equal(collector.requests[0]?.path, "/v1/traces");
    assert.equal(collector.resource["service.name"], "mine");
    assert.match(collector.resource["service.version"] ?? "", /^\d/);

    const [tags] = collector.spans.filter(({ name }) => name === "GET /v2/team/app/tags/list");
    assert.deepEqual([tags?.trace, tags?.parent, tags?.kind], [trace, parent, 2]);
    assert.equal(tags?.attributes["http.response.status_code"], "200");
    const list = collector.spans.find(({ parent }) => parent === tags?.id);
    assert.deepEqual([list?.name, list?.trace, list?.attributes[`${PREFIX}.driver.name`]], ["List", trace, "inmemory"]);
    assert.match(list?.attributes[`${PREFIX}.path`] ?? "", /^\/docker\/registry\/v2\/repositories\/team\/app\//);

    const names = new Set(collector.spans.map(({ name }) => name));
    for (const name of ["PUT /v2/team/app/manifests/v1", "PutContent", "Writer", "Move", "Stat"])
      assert.ok(names.has(name), name);
    const moves = collector.spans.filter(({ name }) => name === "Move");
    const move = moves.find(({ attributes }) => /\/blobs\/sha256\//.test(attributes[`${PREFIX}.dest.path`] ?? ""));
    assert.match(move?.attributes[`${PREFIX}.source.path`] ?? "", /\/team\/app\/_uploads\//);
    assert.ok(!names.has("GET /nowhere"));
    assert.doesNotMatch(JSON.stringify(collector.spans), /HIDDEN/);
  });

  test("that nobody takes cost a warning and nothing else", async () => {
    await using collector = await startTraceCollector(400);
    await using registry = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_EXPORTER: "otlp",
    });
    assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
    assert.equal(await registry.stop(), 0);
    assert.match(registry.log, /level=warning msg="(?:the last )?traces could not be sent: Bad Request"/);
  });

  test("over a protocol that we do not speak stop the start with one sentence", async () => {
    await assert.rejects(
      start({ OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }),
      /configuration error: OTEL_EXPORTER_OTLP_PROTOCOL: is "grpc", but must be http\/protobuf/,
    );
  });
});

test("what is not configured is not loaded", async () => {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (/opentelemetry|prom-client|nodemailer/.test(specifier)) process.stderr.write("LOADED " + specifier + "\\n");
      return next(specifier, context);
    } });`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  for (const [env, loaded] of [
    [{}, false],
    [{ OTEL_TRACES_EXPORTER: "console" }, true],
  ] as const) {
    await using registry = await start({ ...env, NODE_OPTIONS });
    assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
    assert.equal(/LOADED/.test(registry.log), loaded);
  }
});

/** Its storage is in memory. */
async function start(env: Readonly<Record<string, string>>): Promise<RegistryProcess> {
  return await startRegistry("wharfinger", { rootDirectory: "", driver: { inmemory: {} }, env });
}
