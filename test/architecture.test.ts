import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, test } from "node:test";
import { readModules } from "./architecture/module.ts";
import { findings, type Table } from "./architecture/rules.ts";
import type { Sources } from "./syntax.ts";

/** Imports only go downward. Whoever needs another row decides a question of design: say why in the commit. */
const TABLE: Table = {
  lib: { sources: [], packages: [] },
  oci: { sources: [], packages: [], node: ["node:crypto"] },
  "oci/schema1/jws.ts": { sources: [], packages: ["jose"] },
  storage: { sources: ["lib"], packages: [] },
  "storage/remembering.ts": { sources: [], packages: ["lru-cache"] },
  "storage/stamp-memory.ts": { sources: [], packages: ["lru-cache"] },
  "storage/s3/calls.ts": { sources: [], packages: ["@aws-sdk/client-s3"] },
  "storage/s3/client.ts": { sources: [], packages: ["@aws-sdk/client-s3", "@smithy/node-http-handler"] },
  "storage/s3/multipart.ts": { sources: [], packages: ["@aws-sdk/client-s3"] },
  "storage/s3/objects.ts": { sources: [], packages: ["@aws-sdk/client-s3"] },
  "storage/s3/redirects.ts": { sources: [], packages: ["@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner"] },
  cache: { sources: ["oci", "lib"], packages: ["lru-cache"] },
  "cache/redis-client.ts": { sources: [], packages: ["@redis/client"] },
  "cache/redis-options.ts": { sources: ["config/address.ts", "config/redis-config.ts"], packages: ["@redis/client"] },
  registry: {
    sources: ["oci", "storage", "cache", "lib"],
    packages: ["hash-wasm", "lru-cache"],
    node: ["node:crypto", "node:timers/promises"],
  },
  "registry/hash-thread.ts": { sources: [], packages: [], node: ["node:worker_threads"] },
  "registry/open-hashing.ts": { sources: [], packages: [], node: ["node:os"] },
  "registry/thread-hashing.ts": { sources: [], packages: [], node: ["node:worker_threads"] },
  maintenance: { sources: ["registry", "oci", "storage", "lib"], packages: [] },
  auth: { sources: ["oci", "lib"], packages: ["hash-wasm", "jose", "lru-cache"] },
  notifications: { sources: ["oci", "lib", "registry/registry.ts"], packages: [] },
  http: {
    sources: [
      "auth/access.ts",
      "auth/access-controller.ts",
      "oci",
      "lib",
      "registry/registry.ts",
      "registry/upload-id.ts",
      "tls/server-tls.ts",
    ],
    packages: [],
  },
  "http/errors.ts": { sources: ["storage/errors.ts"], packages: [] },
  tls: { sources: ["config"], packages: [] },
  "tls/acme-issuer.ts": { sources: [], packages: ["acme-client"] },
  config: { sources: ["lib/node-http.ts"], packages: ["re2js", "valibot", "yaml"] },
  "config/show.ts": { sources: ["lib/outgoing-url.ts"], packages: [] },
  "config/endpoint-rules.ts": { sources: ["lib/outgoing-url.ts"], packages: [] },
  health: { sources: ["lib", "storage/driver.ts", "storage/errors.ts"], packages: [] },
  telemetry: {
    sources: ["lib", "http", "storage/observed-driver.ts"],
    packages: ["nodemailer", "pino", "prom-client"],
  },
  "telemetry/traces.ts": {
    sources: ["config/tracing.ts"],
    packages: [
      ...["@opentelemetry/api", "@opentelemetry/core", "@opentelemetry/exporter-trace-otlp-proto"],
      ...["@opentelemetry/resources", "@opentelemetry/sdk-trace"],
    ],
  },
  cli: {
    sources: ["app.ts", "config", "http/debug-server.ts", "http/http-server.ts", "http/turn.ts", "telemetry"],
    packages: ["commander"],
  },
  "cli/bind.ts": { sources: ["lib/listening.ts"], packages: [] },
  "cli/load.ts": { sources: ["driver-parameters.ts"], packages: [] },
  "cli/notifications-status.ts": { sources: ["data-folder.ts", "notifications"], packages: [] },
  "cli/serve-alone.ts": { sources: ["instruments.ts"], packages: [] },
  "cli/serving.ts": {
    sources: [
      ...["instruments.ts", "lib/shared-parts.ts", "listener.ts", "storage/errors.ts", "succession.ts"],
      "workers/peers.ts",
    ],
    packages: [],
  },
  "cli/supervise.ts": { sources: ["upload-secret.ts", "workers"], packages: [] },
  "cli/work.ts": { sources: ["instruments.ts", "workers"], packages: [] },
  "cli/reload.ts": { sources: ["composition.ts"], packages: [] },
  workers: {
    sources: ["cache", "http", "lib", "oci", "registry", "storage", "telemetry"],
    packages: ["lru-cache"],
  },
  "workers/summary.ts": { sources: ["config", "instruments.ts"], packages: [] },
  "succession.ts": { sources: ["app.ts"], packages: [] },
  "listener.ts": { sources: ["config", "http", "telemetry", "tls"], packages: [] },
  "app.ts": {
    sources: [
      ...["auth/access-controller.ts", "config", "http", "lib", "maintenance", "oci", "registry/paths.ts"],
      ...["composed-registry.ts", "composition.ts", "observability.ts", "parts.ts", "registry-options.ts"],
      ...["server-options.ts", "told-endpoints.ts"],
    ],
    packages: [],
  },
  "composition.ts": { sources: ["config", "instruments.ts", "lib", "telemetry", "workers/peers.ts"], packages: [] },
  "composed-registry.ts": {
    sources: [
      ...["composition.ts", "lib", "middleware.ts", "oci", "registry", "registry-options.ts", "storage"],
      "stored-parts.ts",
    ],
    packages: [],
  },
  "stored-parts.ts": {
    sources: ["cache", "composition.ts", "config", "lib", "middleware.ts", "parts.ts", "registry", "storage"],
    packages: [],
  },
  "told-endpoints.ts": {
    sources: ["composition.ts", "config", "data-folder.ts", "lib", "notifications", "oci"],
    packages: [],
  },
  "server-options.ts": {
    sources: [
      ...["composition.ts", "config", "http", "lib", "registry/class-policy.ts", "telemetry", "upload-secret.ts"],
    ],
    packages: [],
  },
  "registry-options.ts": {
    sources: ["config", "oci", "own-parts.ts", "registry", "signing-key-file.ts"],
    packages: [],
  },
  "instruments.ts": { sources: ["config", "health", "http", "storage", "telemetry"], packages: [] },
  "observability.ts": {
    sources: ["config", "health", "http", "instruments.ts", "lib", "storage", "telemetry"],
    packages: [],
  },
  "parts.ts": {
    sources: ["auth", "cache", "config", "storage", "named-module.ts", "own-access.ts", "own-parts.ts", "redis-tls.ts"],
    packages: [],
  },
  "driver-parameters.ts": { sources: ["config/parameter-findings.ts", "storage/s3/parameters.ts"], packages: [] },
  "own-access.ts": { sources: ["auth", "named-module.ts", "part-shape.ts"], packages: [] },
  "own-parts.ts": { sources: ["named-module.ts", "part-shape.ts", "oci", "storage"], packages: [] },
  "middleware.ts": {
    sources: [
      "config",
      "lib",
      "oci",
      "registry",
      "storage",
      "named-module.ts",
      "own-middleware.ts",
      "cloudfront-key.ts",
    ],
    packages: [],
  },
  "own-middleware.ts": { sources: ["named-module.ts", "part-shape.ts", "registry", "storage"], packages: [] },
  "cloudfront-key.ts": { sources: ["config/config-error.ts"], packages: [] },
  "part-shape.ts": { sources: [], packages: [] },
  "named-module.ts": { sources: ["config/config-error.ts"], packages: [], unwritten: true },
  "redis-tls.ts": {
    sources: ["cache/redis-options.ts", "config/config-error.ts", "config/redis-config.ts"],
    packages: [],
  },
  "signing-key-file.ts": { sources: ["config/config-error.ts", "oci"], packages: [] },
  "upload-secret.ts": { sources: [], packages: [] },
  "data-folder.ts": { sources: ["config/config.ts"], packages: [] },
  "main.ts": { sources: ["cli", "lib/heap.ts", "lib/near-imports.ts"], packages: [] },
  "library.ts": {
    sources: [
      "auth/access-controller.ts",
      "auth/checked-controller.ts",
      "cache",
      "http",
      "oci",
      "registry",
      "storage",
      "part-shape.ts",
      "upload-secret.ts",
    ],
    packages: [],
  },
  "index.ts": {
    sources: ["auth", "cache", "library.ts", "http/blobs.ts", "lib", "oci", "registry", "storage"],
    packages: [],
  },
};

const ROOT = join(import.meta.dirname, "..");

test("every source keeps to the table of imports and to the rules", () => {
  assert.deepEqual(findings(readModules(sourcesOfTree()), TABLE), []);
});

test("node:http is taken without an import, which would load more than there is of it", () => {
  const importing = Object.entries(sourcesOfTree()).filter(([path, text]) => {
    return !path.endsWith(".test.ts") && /^(?:import|export) (?!type )[^;]*"node:http";/m.test(text);
  });
  assert.deepEqual(
    importing.map(([path]) => path),
    [],
  );
});

test("one source alone imports modules that only its operator knows", () => {
  assert.deepEqual(
    Object.keys(TABLE).filter((key) => TABLE[key]?.unwritten),
    ["named-module.ts"],
  );
});

test("every dependency of the package stands in the table", () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const inTable = new Set(Object.values(TABLE).flatMap((rights) => rights.packages));
  assert.deepEqual([...inTable].sort(), Object.keys(dependencies).sort());
});

describe("the rules", () => {
  const table: Table = {
    low: { sources: [], packages: ["yaml"], node: ["node:path"] },
    high: { sources: ["low/a.ts"], packages: [] },
    "high/edge.ts": { sources: ["low"], packages: ["@scope/name"] },
    "main.ts": { sources: ["high"], packages: [] },
  };
  const clean: Sources = {
    "low/a.ts": 'import { parse } from "yaml"; import { join } from "node:path"; export const a = [parse, join];',
    "low/b.ts": 'import type { A } from "./a.ts"; export type B = A;',
    "high/user.ts": 'import { a } from "../low/a.ts"; import fs from "node:fs"; export const user = [a, fs];',
    "high/edge.ts": 'import { b } from "../low/b.ts"; import { c } from "@scope/name/deep"; export const e = [b, c];',
    "main.ts": 'const { e } = await import("./high/edge.ts"); process.exit(e.length);',
  };
  const withSource = (path: string, text: string): readonly string[] =>
    findings(readModules({ ...clean, [path]: text }), table);

  test("accept what the table allows", () => {
    assert.deepEqual(findings(readModules(clean), table), []);
  });

  for (const text of [
    'import { x } from "../high/user.ts";',
    'import "../high/user.ts";',
    'import type { X } from "../high/user.ts";',
    'import { type X } from "../high/user.ts";',
    'import * as x from "../high/user.ts";',
    'export const x = await import("../high/user.ts");',
    "export const x = await import(`../high/user.ts`);",
    'export type X = import("../high/user.ts").X;',
    'export const x = require("../high/user.ts");',
    'export const x = import.meta.resolve("../high/user.ts");',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test holds a template
    'export const x = `${await import("../high/user.ts")}`;',
  ]) {
    test(`refuse an import upward: ${text}`, () => {
      assert.deepEqual(withSource("low/up.ts", text), ["low/up.ts:1: may not import high/user.ts"]);
    });
  }

  test("refuse a re-export, and that of a forbidden module twice", () => {
    assert.deepEqual(withSource("low/up.ts", '\nexport * from "../high/user.ts";'), [
      "low/up.ts: re-exports; only index.ts is a barrel",
      "low/up.ts:2: may not import high/user.ts",
    ]);
    assert.deepEqual(withSource("low/up.ts", 'import { a } from "./a.ts"; export { a as b };'), [
      "low/up.ts: re-exports; only index.ts is a barrel",
    ]);
  });

  test("see no import in a comment, a string or a regular expression", () => {
    const text =
      '// import "../high/user.ts"\nexport const x = [\'import "../high/user.ts"\', /import "yaml2"/, "process.env"];';
    assert.deepEqual(withSource("low/quiet.ts", text), []);
  });

  for (const [text, name] of [
    ['import * as v from "valibot";', "valibot"],
    ['import type { Z } from "@scope/other/deep";', "@scope/other"],
    ['import { readFile } from "node:fs";', "node:fs"],
    ['import { readFile } from "fs";', "fs"],
    ['import { x } from "../../test/x.ts";', "../test/x.ts"],
    ['import { x } from "./a.test.ts";', "low/a.test.ts"],
    ['import { x } from "../main.ts";', "main.ts"],
  ] as const) {
    test(`refuse a package, a module of Node, or a file outside: ${text}`, () => {
      assert.deepEqual(withSource("low/x.ts", text), [`low/x.ts:1: may not import ${name}`]);
    });
  }

  test("give a file's own rights to no other file of the folder", () => {
    assert.deepEqual(withSource("high/other.ts", 'import { b } from "../low/b.ts";'), [
      "high/other.ts:1: may not import low/b.ts",
    ]);
  });

  test("refuse an import without .ts and one that is not written out", () => {
    assert.deepEqual(withSource("low/x.ts", 'import "./a"; import "./b.js";'), [
      'low/x.ts:1: imports "./a", which does not end in .ts',
      'low/x.ts:1: imports "./b.js", which does not end in .ts',
    ]);
    assert.deepEqual(withSource("low/x.ts", "export const x = (name: string) => import(name);"), [
      "low/x.ts:1: imports something that is not written out",
    ]);
  });

  test("let one file import what is not written out, where its row says so", () => {
    const text = "export const x = (name: string) => [import(name), import.meta.resolve(name)];";
    const withRight = (key: string, path: string): readonly string[] =>
      findings(readModules({ ...clean, "loader.ts": "export const x = 1;", [path]: text }), {
        ...table,
        "loader.ts": { sources: [], packages: [] },
        [key]: { sources: [], packages: [], ...table[key], unwritten: true },
      });
    assert.deepEqual(withRight("loader.ts", "loader.ts"), []);
    assert.deepEqual(withRight("loader.ts", "loader.test.ts"), [
      "loader.test.ts:1: imports something that is not written out",
      "loader.test.ts:1: imports something that is not written out",
      "loader.ts: nothing in it imports what is not written out any more",
    ]);
    assert.deepEqual(withRight("low", "low/x.ts"), [
      "low/x.ts:1: imports something that is not written out",
      "low/x.ts:1: imports something that is not written out",
      "low: nothing in it imports what is not written out any more",
    ]);
  });

  test("refuse a cycle, of types too", () => {
    assert.deepEqual(withSource("low/a.ts", `${clean["low/a.ts"]} import type { B } from "./b.ts";`), [
      "a cycle: low/a.ts -> low/b.ts -> low/a.ts",
    ]);
    assert.deepEqual(withSource("low/self.ts", 'import { x } from "./self.ts";'), [
      "a cycle: low/self.ts -> low/self.ts",
    ]);
  });

  for (const text of [
    "export const x = process.env.HOME;",
    'export const x = process["env"];',
    "const { env: x } = process;",
    "export const x = globalThis.process?.env;",
    'import { env } from "node:process";',
    'import process from "node:process"; export const x = process.env;',
  ]) {
    test(`refuse the environment outside config/: ${text}`, () => {
      assert.deepEqual(withSource("high/x.ts", text), ["high/x.ts: process.env outside config/"]);
    });
  }

  test("refuse process.exit outside main.ts", () => {
    assert.deepEqual(withSource("high/x.ts", "process.exit(1);"), ["high/x.ts: process.exit outside main.ts"]);
  });

  for (const text of [
    "export default 1;",
    "export default function x(): void {}",
    "export default class {}",
    "const x = 1; export { x as default };",
  ]) {
    test(`refuse a default export: ${text}`, () => {
      assert.deepEqual(withSource("high/x.ts", text), ["high/x.ts: a default export"]);
    });
  }

  test("take the default of a switch for no export", () => {
    assert.deepEqual(withSource("high/x.ts", "switch (Number.NaN) {\n  default:\n}"), []);
  });

  test("refuse a file of more than 300 lines", () => {
    assert.deepEqual(withSource("high/x.ts", "// a line\n".repeat(300)), []);
    assert.deepEqual(withSource("high/x.ts", "// a line\n".repeat(301)), ["high/x.ts: 301 lines, more than 300"]);
  });

  test("refuse a folder that has no row", () => {
    assert.deepEqual(withSource("new/x.ts", "export const x = 1;"), ["new/x.ts: no row of the table"]);
  });

  test("refuse a right that nobody uses any more", () => {
    assert.deepEqual(withSource("low/a.ts", "export const a = 1;"), [
      "low: nothing in it imports yaml any more",
      "low: nothing in it imports node:path any more",
    ]);
    assert.deepEqual(withSource("high/user.ts", "export const user = 1;"), [
      "high: nothing in it imports low/a.ts any more",
    ]);
    assert.deepEqual(findings([], { gone: { sources: [], packages: [] } }), [
      "gone: a row of the table without a source",
    ]);
  });

  test("let tests import what they need, but not break the other rules", () => {
    assert.deepEqual(withSource("low/a.test.ts", 'import { user } from "../high/user.ts"; import "fast-check";'), []);
    assert.deepEqual(withSource("low/a.test.ts", 'export default 1; import "./a.js";'), [
      "low/a.test.ts: a default export",
      'low/a.test.ts:1: imports "./a.js", which does not end in .ts',
    ]);
  });
});

function sourcesOfTree(): Sources {
  const folder = join(ROOT, "src");
  const paths = globSync("**/*.ts", { cwd: folder });
  return Object.fromEntries(paths.map((path) => [path.split(sep).join("/"), readFileSync(join(folder, path), "utf8")]));
}
