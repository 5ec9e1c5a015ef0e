/**
 * Runs what needs a storage beside this machine's: `run.ts [--long] [pattern …]`. Without patterns these are the suites of
 * this folder, and those of the API, of caches and of clients over S3. The server of S3 is built with Go; without Go
 * nothing runs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPebble } from "../support/pebble.ts";
import { installGateway, startGateway } from "../support/versitygw.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const SUITES = [
  "test/backends/**/*.test.ts",
  "test/api/**/*.test.ts",
  "test/cache/configured.test.ts",
  "test/clients/{skopeo,podman,containerd}.test.ts",
];

const { values, positionals: patterns } = parseArgs({
  options: { long: { type: "boolean", default: false } },
  allowPositionals: true,
});
const missing = (await installGateway()) ?? (await installPebble());
if (missing !== undefined) {
  console.log(`test:backends: not run, ${missing}`);
} else {
  await using gateway = await startGateway();
  const long = values.long ? ["--long"] : [];
  const env = { ...process.env, WHARFINGER_TEST_S3: String(gateway.port) };
  const args = [join(ROOT, "test/run.ts"), ...long, ...(patterns.length > 0 ? patterns : SUITES)];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: "inherit" });
  const [code] = await once(child, "close");
  process.exitCode = code ?? 1;
}
