import assert from "node:assert/strict";
import { test } from "node:test";
import type { App } from "../app.ts";
import { type LoadedConfig, parseConfig } from "../config/load.ts";
import { openInstruments } from "../instruments.ts";
import { SharedParts } from "../lib/shared-parts.ts";
import { createLog } from "../telemetry/log.ts";
import { NewWarnings } from "./new-warnings.ts";
import { reload } from "./reload.ts";

function loaded(text: string): LoadedConfig {
  return { ...parseConfig(`version: 0.1\nstorage: inmemory\n${text}`, "config.yml", {}), source: "config.yml" };
}

/** Reloads to what logs in more detail. @returns what was done and said, in its order */
async function stepsOf(follow: () => Promise<void>): Promise<readonly string[]> {
  const steps: string[] = [];
  const { config } = loaded("log: {level: warn}");
  const log = createLog({ level: "info", formatter: "json", fields: {} }, (line) => {
    const { msg } = JSON.parse(line) as { readonly msg: string };
    if (msg.startsWith("config") || msg.startsWith("the config")) steps.push(msg);
  });
  const requestLog = { takesInfo: () => false, write: () => undefined };
  await using instruments = await openInstruments(config, { log, requestLog, version: "1", tracing: () => undefined });
  await using apps = new AsyncDisposableStack();
  await reload({
    renew: () => steps.push("renew"),
    load: () => loaded("log: {level: debug}"),
    told: new NewWarnings(log),
    logging: {
      ...{ log, requestLog },
      change: async ({ level }) => void steps.push(`log ${level}`),
      [Symbol.asyncDispose]: async () => undefined,
    },
    changing: () => ({
      surroundings: { log, instruments, shared: new SharedParts(), folder: "/" },
      running: { config } as App,
      follow: async (app) => {
        steps.push("follow");
        await follow();
        apps.use(app);
      },
    }),
  });
  return steps;
}

test("lines change where the configuration does", async () => {
  const steps = await stepsOf(async () => undefined);
  assert.deepEqual(steps, ["renew", "follow", "log debug", "configuration reloaded: log.level changed"]);
});

test("a configuration that cannot begin leaves lines as they were", async () => {
  const steps = await stepsOf(() => Promise.reject(new Error("no")));
  const sentence = "the configuration was not reloaded, and the one before stays: no";
  assert.deepEqual(steps, ["renew", "follow", sentence]);
});
