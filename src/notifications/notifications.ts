import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type Proxies, toProxyVariables } from "../lib/proxy-variables.ts";
import type { Repository } from "../registry/registry.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import { type EventRequest, type EventSource, mediaTypeOf, printEnvelope, type RegistryEvent } from "./event.ts";
import { type BeginThread, EventQueue } from "./event-queue.ts";
import type { QueuedEvent } from "./event-store.ts";
import { observeRepository } from "./observed-repository.ts";
import { type EventSink, Observer, type ObserverOptions } from "./observer.ts";
import type { FromQueue, QueueEndpoint, QueueOptions } from "./queue-messages.ts";

export interface Endpoint extends QueueEndpoint {
  readonly disabled: boolean;
  readonly ignore: { readonly mediatypes: readonly string[]; readonly actions: readonly string[] };
}

export interface NotificationsOptions extends ObserverOptions {
  readonly endpoints: readonly Endpoint[];
  /** Host name and port of this registry. */
  readonly address: string;
  /** Where the queue is; in memory where there is none. */
  readonly folder: string | undefined;
  /** Bytes of the queue. */
  readonly limit: number;
  /** ms that disposal takes to deliver what endpoints take. */
  readonly drain: number;
  /** As the environment names them, not checked. */
  readonly proxies: Proxies;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** Tells endpoints what happens in a registry. Disposal keeps what waits for the next start. */
export interface Notifications extends AsyncDisposable {
  observe(repository: Repository, request: EventRequest, base: string): Repository;
  /** Of each endpoint, at most a second old. */
  figures(): readonly EndpointFigures[];
}

/**
 * @returns undefined where no endpoint is enabled
 * @throws {TypeError} for a proxy that cannot be one
 */
export function openNotifications(options: NotificationsOptions): Notifications | undefined {
  const endpoints = withOwnNames(options.endpoints);
  const [enabled, disabled] = [endpoints.filter(isUsable), endpoints.filter((endpoint) => !isUsable(endpoint))];
  for (const endpoint of endpoints) announce(endpoint, options.log);
  if (enabled.length === 0) return undefined;
  const { folder, limit } = options;
  const proxies = toProxyVariables(options.proxies);
  const data: QueueOptions = { folder, limit, proxies, endpoints: enabled, disabled: disabled.map(({ name }) => name) };
  const queue = new EventQueue({ begin: beginThread(data), log: options.log });
  const sink = toSink(enabled, queue, { addr: options.address, instanceID: randomUUID() }, options.log);
  return {
    observe: (repository, request, base) => observeRepository(repository, new Observer(options, sink, request, base)),
    figures: () => queue.figures,
    [Symbol.asyncDispose]: () => queue.close(options.drain),
  };
}

/** The queue tells endpoints apart by their names. */
function withOwnNames(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.map((endpoint, index) => {
    const same = endpoints.slice(0, index).filter(({ name }) => name === endpoint.name).length;
    return same === 0 ? endpoint : { ...endpoint, name: `${endpoint.name} (${same + 1})` };
  });
}

function isUsable({ disabled, url }: Endpoint): boolean {
  return !disabled && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** As the peers say it, without what may be secret. */
function announce(endpoint: Endpoint, log: NotificationsOptions["log"]): void {
  const { name, url, timeout, headers, disabled } = endpoint;
  if (disabled) log("info", `endpoint ${name} disabled, skipping`);
  else if (!isUsable(endpoint))
    log("error", `endpoint ${name} gets nothing: its url must begin with http:// or https://`);
  else {
    const names = Object.keys(headers).map((header) => `${header}:[redacted]`);
    const rest = `timeout=${timeout}ms, headers=map[${names.join(" ")}]`;
    log("info", `configuring endpoint ${name} (${withoutSecrets(url)}), ${rest}`);
  }
}

function withoutSecrets(text: string): string {
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}

function toSink(
  endpoints: readonly Endpoint[],
  queue: EventQueue,
  source: EventSource,
  log: NotificationsOptions["log"],
): EventSink {
  const toQueued = (event: RegistryEvent): QueuedEvent[] => {
    const takers = endpoints.filter((endpoint) => takes(endpoint, event));
    if (takers.length === 0) return [];
    const body = printEnvelope(event, source, randomUUID(), new Date());
    return takers.map(({ name }) => ({ endpoint: name, pull: event.action === "pull", body }));
  };
  return {
    keep: (events) => queue.keep(events.flatMap(toQueued)),
    note: (event) => queue.note(toQueued(event)),
    complain: (message, error) => log("warn", `${message}: ${error instanceof Error ? error.message : error}`),
  };
}

function takes({ ignore }: Endpoint, event: RegistryEvent): boolean {
  return !ignore.actions.includes(event.action) && !ignore.mediatypes.includes(mediaTypeOf(event));
}

/** The compiler does not see this name, so it is the one of the file beside, of the source or of what was made of it. */
const SCRIPT = new URL(import.meta.url.endsWith(".ts") ? "./queue-thread.ts" : "./queue-thread.js", import.meta.url);

function beginThread(workerData: QueueOptions): BeginThread {
  return (onMessage, onEnd) => {
    const worker = new Worker(SCRIPT, {
      workerData,
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
