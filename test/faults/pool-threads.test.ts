import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePort } from "../support/free-port.ts";
import { registryConfiguration, startRegistry } from "../support/registry-process.ts";
import { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { WITHOUT_FIGURES } from "./process-figures.ts";
import { until } from "./until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** @see sched(7) */
const [SCHED_OTHER, SCHED_BATCH] = [0, 3];

test("threads that read and write files do not interrupt the one that answers", { skip: WITHOUT_FIGURES }, async () => {
  await using folder = await temporaryFolder();
  await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
  const threads = (): readonly Thread[] => threadsOf(registry.pid);
  const pool = (): readonly Thread[] => threads().filter(({ name }) => name === "libuv-worker");
  await until("all of the pool wait", () => pool().length > 0 && pool().every(({ policy }) => policy === SCHED_BATCH));
  await until(
    "the one that answers does not",
    () => threads().find(({ id }) => id === registry.pid)?.policy === SCHED_OTHER,
  );
});

test("a registry that was started with a policy of its own keeps it", { skip: WITHOUT_FIGURES }, async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.join("config.yml"), stringify(registryConfiguration(folder.join("data"), await freePort())));
  const command = [process.execPath, MAIN, "serve", folder.join("config.yml")];
  await using registry = new ServerProcess("chrt", ["-b", "0", ...command]);
  await registry.says(/listening on/);
  await setTimeout(2000); // it would have changed by now
  assert.ok(threadsOf(registry.pid).every(({ policy }) => policy === SCHED_BATCH));
});

test("a registry that may not say so to the system serves all the same", async () => {
  await using folder = await temporaryFolder();
  const env = { PATH: folder.path };
  const configuration = { log: { level: "debug" } };
  await using registry = await startRegistry("wharfinger", { rootDirectory: folder.join("data"), env, configuration });
  await until("it has tried", () => registry.log.includes("the policy of the pool's threads could not be set"));
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
});

interface Thread {
  readonly id: number;
  readonly name: string;
  readonly policy: number;
}

/** @see proc_pid_stat(5): the name is in brackets, and field 41 the policy */
function threadsOf(pid: number): readonly Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, "utf8");
    const [start, end] = [stat.indexOf("("), stat.lastIndexOf(")")];
    const policy = Number(stat.slice(end + 2).split(" ")[38]);
    return { id: Number(id), name: stat.slice(start + 1, end), policy };
  });
}
