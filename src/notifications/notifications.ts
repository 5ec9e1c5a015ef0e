import { randomUUID } from "node:crypto";
import { isHttpUrl, shownUrl } from "../lib/outgoing-url.ts";
import type { Repository } from "../registry/registry.ts";
import { type EventRequest, type EventSource, mediaTypeOf, printEnvelope, type RegistryEvent } from "./event.ts";
import type { QueuedEvent } from "./event-store.ts";
import type { NotificationQueue } from "./notification-queue.ts";
import { observeRepository } from "./observed-repository.ts";
import { type EventSink, Observer, type ObserverOptions } from "./observer.ts";
import { sharedNames, withOwnNames } from "./own-names.ts";
import type { QueueEndpoint, QueueEndpoints } from "./queue-messages.ts";

export interface Endpoint extends QueueEndpoint {
  readonly disabled: boolean;
  readonly ignore: { readonly mediatypes: readonly string[]; readonly actions: readonly string[] };
}

export interface NotificationsOptions extends ObserverOptions {
  readonly endpoints: readonly Endpoint[];
  /** Host name and port of this registry. */
  readonly address: string;
  readonly queue: NotificationQueue;
  /** ms that the queue's disposal takes to deliver what endpoints take. */
  readonly drain: number;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** Tells endpoints what happens in a registry. */
export interface Notifications {
  observe(repository: Repository, request: EventRequest, base: string): Repository;
  /** From now on the queue delivers to these endpoints, and no others. */
  begin(): void;
}

export function openNotifications(options: NotificationsOptions): Notifications {
  const { queue, drain, log } = options;
  const endpoints = withOwnNames(options.endpoints);
  const usable = endpoints.filter(isUsable);
  const sink = toSink(usable, queue, { addr: options.address, instanceID: queue.instance }, log);
  return {
    observe: (repository, request, base) => observeRepository(repository, new Observer(options, sink, request, base)),
    begin: () => queue.become(toQueueEndpoints(endpoints), drain),
  };
}

/** Says of each endpoint what becomes of it, as the peers do. */
export function announceEndpoints(endpoints: readonly Endpoint[], log: NotificationsOptions["log"]): void {
  for (const name of sharedNames(endpoints)) {
    const advice = "a name of its own for each keeps what waits for it when the others go";
    log("warn", `several endpoints are called ${name}, and are told apart by their URLs: ${advice}`);
  }
  for (const endpoint of withOwnNames(endpoints)) announce(endpoint, log);
}

/** Whether something is to be told to anybody. */
export function hasUsable(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(isUsable);
}

function toQueueEndpoints(endpoints: readonly Endpoint[]): QueueEndpoints {
  const usable = endpoints.filter(isUsable);
  return {
    endpoints: usable.map(({ name, url, headers, timeout, threshold, backoff }) => ({
      ...{ name, url, headers, timeout, threshold, backoff },
    })),
    disabled: endpoints.filter((endpoint) => !isUsable(endpoint)).map(({ name }) => name),
  };
}

function isUsable({ disabled, url }: Endpoint): boolean {
  return !disabled && isHttpUrl(url);
}

/** Without what may be secret. */
function announce(endpoint: Endpoint, log: NotificationsOptions["log"]): void {
  const { name, url, timeout, headers, disabled } = endpoint;
  if (disabled) log("info", `endpoint ${name} disabled, skipping`);
  else if (!isUsable(endpoint))
    log("error", `endpoint ${name} gets nothing: its url must begin with http:// or https://`);
  else {
    const names = Object.keys(headers).map((header) => `${header}:[redacted]`);
    const rest = `timeout=${timeout}ms, headers=map[${names.join(" ")}]`;
    log("info", `configuring endpoint ${name} (${shownUrl(url)}), ${rest}`);
  }
}

function toSink(
  endpoints: readonly Endpoint[],
  queue: NotificationQueue,
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
