import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { get } from "node:http";
import { setTimeout } from "node:timers/promises";
import { run } from "../../test/support/run.ts";

/** The server has one core for itself; this program, and with it all that loads the server, the other. */
export const SERVER_CORE = "0";
const LOAD_CORE = "1";

/** ms */
const PATIENCE = 30_000;

export async function pinLoad(): Promise<void> {
  await run("taskset", ["--cpu-list", "--pid", LOAD_CORE, String(process.pid)]);
}

/** A program on the server's core. Disposal ends it. */
export interface PinnedServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** ms from its start to its first answer */
  readonly start: number;
}

export interface Program {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
  /** Takes what it prints, as container engines keep it. */
  readonly log: string;
}

/** @throws {Error} where it does not answer `GET /v2/` in time */
export async function startPinned({ command, env, port, log }: Program): Promise<PinnedServer> {
  const output = openSync(log, "a");
  const begun = performance.now();
  const child = spawn("taskset", ["--cpu-list", SERVER_CORE, ...command], {
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
  });
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(`${url}/v2/`))) {
    const isLate = performance.now() - begun > PATIENCE;
    if (isLate || child.exitCode !== null) throw new Error(`${command.join(" ")} does not answer; see ${log}`);
    await setTimeout(1);
  }
  return {
    url,
    pid: child.pid ?? -1,
    start: performance.now() - begun,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

function answers(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  get(url, { agent: false }, (answer) => {
    answer.resume();
    resolve(true);
  }).on("error", () => resolve(false));
  return promise;
}
