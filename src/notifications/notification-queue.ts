import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { ProxyVariables } from "../lib/proxy-variables.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import { type BeginThread, EventQueue } from "./event-queue.ts";
import type { QueuedEvent } from "./event-store.ts";
import type { FromQueue, QueueEndpoints, QueueOptions } from "./queue-messages.ts";

export interface NotificationQueueOptions {
  /** Where the queue is; in memory where there is none. */
  readonly folder: string | undefined;
  /** Bytes. */
  readonly limit: number;
  readonly proxies: ProxyVariables;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * The queue of a process, whose endpoints may change. It begins with the first event or endpoint. Disposal delivers what
 * endpoints take in time, and keeps the rest for the next start.
 */
export class NotificationQueue implements AsyncDisposable {
  /** Of this process, as events name it. */
  readonly instance: string = randomUUID();
  readonly #options: NotificationQueueOptions;
  #endpoints: QueueEndpoints = { endpoints: [], disabled: [] };
  #drain = 0;
  #queue: EventQueue | undefined;

  constructor(options: NotificationQueueOptions) {
    this.#options = options;
  }

  /**
   * From now on these get events, and no others.
   * @param drain ms that disposal takes to deliver what they take
   */
  become(endpoints: QueueEndpoints, drain: number): void {
    this.#endpoints = endpoints;
    this.#drain = drain;
    if (this.#queue) this.#queue.tell({ kind: "become", endpoints });
    else this.#queue = this.#begin();
  }

  /** As {@link EventQueue.keep}. */
  async keep(events: readonly QueuedEvent[]): Promise<void> {
    await this.#queue?.keep(events);
  }

  note(events: readonly QueuedEvent[]): void {
    this.#queue?.note(events);
  }

  /** Of each endpoint there was, at most a second old. */
  get figures(): readonly EndpointFigures[] {
    return this.#queue?.figures ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue?.close(this.#drain);
  }

  #begin(): EventQueue {
    const { folder, limit, proxies, log } = this.#options;
    return new EventQueue({ begin: beginThread(() => ({ folder, limit, proxies, ...this.#endpoints })), log });
  }
}

/** The compiler does not see this name, so it is the one of the file beside, of the source or of what was made of it. */
const SCRIPT = new URL(import.meta.url.endsWith(".ts") ? "./queue-thread.ts" : "./queue-thread.js", import.meta.url);

function beginThread(options: () => QueueOptions): BeginThread {
  return (onMessage, onEnd) => {
    const worker = new Worker(SCRIPT, {
      workerData: options(),
      name: "notifications",
      execArgv: [], // the process's own may be such as no file can be started with
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    let failure: Error | undefined;
    worker.on("message", (message: FromQueue) => onMessage(message));
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", () => onEnd(failure));
    return {
      send: (message) => worker.postMessage(message),
      end: async () => {
        await worker.terminate();
      },
    };
  };
}
