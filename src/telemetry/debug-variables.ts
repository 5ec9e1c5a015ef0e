/**
 * `/debug/vars` as Go's expvar prints it, for programs that read the peers': the same names and shapes, with what is secret
 * left out.
 *
 *     { cmdline, memstats {Alloc, Sys, HeapAlloc, …}, registry {
 *         cache {storage {blobdescriptor {Requests, …}}},
 *         notifications {endpoints [{name, url, Headers, Timeout, …, Metrics {Pending, …}}]},
 *         proxy {blobs {Requests, …}, manifests {…}},
 *         redis {Active, Config {Addr, …}} },
 *       version, node, uptime, resources }
 *
 * @see ops, section 3; the shapes are those of 2.8.2
 */
import { shownUrl } from "../lib/outgoing-url.ts";
import type { EndpointCounts, LookupCounts } from "./counted.ts";

export interface VariablesOptions {
  readonly version: string;
  /** Those that get events, as configured. */
  readonly endpoints: readonly EndpointSettings[];
  /** Not set where none is configured. */
  readonly redis?: RedisSettings | undefined;
}

/** Times in ms. */
export interface EndpointSettings {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly timeout: number;
  readonly threshold: number;
  readonly backoff: number;
  readonly ignore: { readonly mediatypes: readonly string[]; readonly actions: readonly string[] };
}

export interface RedisSettings {
  /** Whether anything here asks it. */
  readonly isUsed: boolean;
  readonly addrs: readonly string[];
  readonly password?: string | undefined;
  readonly db: number;
  readonly dialtimeout?: number | undefined;
  readonly readtimeout?: number | undefined;
  readonly writetimeout?: number | undefined;
  readonly maxidleconns?: number | undefined;
  readonly maxactiveconns?: number | undefined;
  readonly connmaxidletime?: number | undefined;
}

/** As far as there is something to count. */
export interface Counts {
  readonly cache: LookupCounts | undefined;
  readonly endpoints: readonly EndpointCounts[];
}

/** What processes use. Bytes. */
export interface Usage {
  readonly memory: Readonly<Record<keyof NodeJS.MemoryUsage, number>>;
  readonly resources: NodeJS.ResourceUsage;
}

/** @param usage that of this process by default */
export function debugVariables(
  { version, endpoints, redis }: VariablesOptions,
  { cache, endpoints: counted }: Counts,
  { memory, resources }: Usage = { memory: process.memoryUsage(), resources: process.resourceUsage() },
): object {
  const counts = new Map(counted.map((one) => [one.name, one]));
  return {
    cmdline: [process.argv0, ...process.argv.slice(1)],
    memstats: memoryStatistics(memory),
    registry: {
      cache: { storage: { blobdescriptor: cache ? lookups(cache) : {} } },
      notifications: { endpoints: endpoints.map((one) => endpointVariables(one, counts.get(one.name))) },
      proxy: { blobs: NO_PROXY, manifests: NO_PROXY },
      ...(redis && { redis: redisVariables(redis) }),
    },
    version,
    node: process.version,
    uptime: process.uptime(),
    resources,
  };
}

/** What Node knows of Go's figures, beside its own. Bytes. */
function memoryStatistics(memory: Usage["memory"]): object {
  const { heapUsed, heapTotal, rss } = memory;
  const go = { Alloc: heapUsed, HeapAlloc: heapUsed, HeapInuse: heapUsed, HeapSys: heapTotal, Sys: rss };
  return { ...go, HeapIdle: heapTotal - heapUsed, ...memory };
}

function lookups({ requests, hits, misses, errors }: LookupCounts): object {
  return { Requests: requests, Hits: hits, Misses: misses, Errors: errors };
}

const NO_PROXY = { Requests: 0, Hits: 0, Misses: 0, BytesPulled: 0, BytesPushed: 0 };

const REDACTED = "[redacted]";

function endpointVariables(endpoint: EndpointSettings, counts: EndpointCounts | undefined): object {
  const { name, url, headers, timeout, threshold, backoff, ignore } = endpoint;
  return {
    name,
    url: shownUrl(url),
    Headers: Object.fromEntries(Object.entries(headers).map(([key, values]) => [key, values.map(() => REDACTED)])),
    Timeout: toNanoseconds(timeout),
    Threshold: threshold,
    Backoff: toNanoseconds(backoff),
    IgnoredMediaTypes: null, // they are among the others
    Ignore: { MediaTypes: orNull(ignore.mediatypes), Actions: orNull(ignore.actions) },
    Metrics: {
      Pending: counts?.pending ?? 0,
      Events: counts?.events ?? 0,
      Successes: counts?.successes ?? 0,
      Failures: counts?.failures ?? 0,
      Errors: counts?.errors ?? 0,
      Statuses: counts?.statuses ?? {},
    },
  };
}

/** One connection carries everything; of the pool it says what was configured. */
function redisVariables({ isUsed, addrs, password, db, ...others }: RedisSettings): object {
  const { dialtimeout = 0, readtimeout = 0, writetimeout = 0 } = others;
  const { maxidleconns = 0, maxactiveconns = 0, connmaxidletime = 0 } = others;
  return {
    Active: isUsed ? 1 : 0,
    Config: {
      Addr: addrs.join(","),
      Password: password ? REDACTED : "",
      DB: db,
      DialTimeout: toNanoseconds(dialtimeout),
      ReadTimeout: toNanoseconds(readtimeout),
      WriteTimeout: toNanoseconds(writetimeout),
      Pool: { MaxIdle: maxidleconns, MaxActive: maxactiveconns, IdleTimeout: toNanoseconds(connmaxidletime) },
    },
  };
}

/** As Go prints a list that is not there. */
function orNull(list: readonly string[]): readonly string[] | null {
  return list.length > 0 ? list : null;
}

function toNanoseconds(ms: number): number {
  return Math.round(ms * 1_000_000);
}
