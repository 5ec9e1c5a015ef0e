import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { residentOf } from "../../test/faults/process-figures.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type PinnedServer, startPinned } from "../speed/pinned.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Node looks at its event loop every 10 ms, and tells of the time between two looks. ms */
const LOOK = 10;

/** How late the event loop was since the last time it was asked. ms */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/** A registry on a folder, with its durable defaults, metrics, and no lines of requests. */
export class GrowthServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: PinnedServer;
  readonly #metrics: string;

  private constructor(server: PinnedServer, metrics: string) {
    this.#server = server;
    this.url = server.url;
    this.#metrics = metrics;
  }

  static async open(folder: string): Promise<GrowthServer> {
    await mkdir(folder, { recursive: true });
    const [port, debug] = [await freePort(), await freePort()];
    const path = join(folder, "config.yml");
    await writeFile(path, stringify(configuration(folder, port, debug)));
    const server = await startPinned({
      command: [process.execPath, MAIN, "serve", path],
      port,
      env: { NODE_COMPILE_CACHE: join(folder, "compiled") },
      log: join(folder, "log"),
    });
    return new GrowthServer(server, `http://127.0.0.1:${debug}/metrics`);
  }

  /** Bytes. */
  get resident(): number {
    return residentOf(this.#server.pid);
  }

  async delay(): Promise<Delay> {
    const text = await (await fetch(this.#metrics)).text();
    const late = (name: string): number => {
      const [, seconds] = new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)$`, "m").exec(text) ?? [];
      return Math.max(0, Number(seconds) * 1000 - LOOK);
    };
    return { p50: late("p50"), p99: late("p99"), longest: late("max") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function configuration(folder: string, port: number, debug: number): object {
  return {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, "data") },
      cache: { blobdescriptor: "inmemory" },
      delete: { enabled: true },
    },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "of the benchmark",
      debug: { addr: `127.0.0.1:${debug}`, prometheus: { enabled: true } },
    },
  };
}
