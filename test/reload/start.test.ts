/** SIGHUP before there is anything that could be reloaded. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePort } from "../support/free-port.ts";
import { registryConfiguration } from "../support/registry-process.ts";
import { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Sends it as soon as the entry asks for the command line, which is long before a command runs. */
const EARLY = `
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    if (/cli.program\\.ts$/.test(url)) process.kill(process.pid, "SIGHUP");
    return next(url, context);
  },
});
`;
const IMPORT = ["--import", `data:text/javascript,${encodeURIComponent(EARLY)}`];

test("SIGHUP while the program is still being loaded does not end the command that serves, and is heeded later", async () => {
  await using folder = await temporaryFolder("early");
  const path = folder.join("config.yml");
  await writeFile(path, stringify(registryConfiguration(folder.join("data"), await freePort())));
  await using registry = new ServerProcess(process.execPath, [...IMPORT, MAIN, "serve", path]);
  await registry.says(/listening on .*configuration reloaded: nothing changed/s);
  assert.equal(await registry.stop(), 0);
});

test("SIGHUP ends commands that do not serve, as ever", async () => {
  await using check = new ServerProcess(process.execPath, [...IMPORT, MAIN, "config", "show", "--no-default-config"]);
  assert.equal(await check.ended(), null);
  assert.equal(check.log, "");
});
