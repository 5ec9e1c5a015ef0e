/** What the client library is told of a Redis. */
import type { RedisClientOptions, RespVersions } from "@redis/client";
import { parseAddress } from "../config/address.ts";
import type { RedisConfig } from "../config/redis-config.ts";

/** As in the configuration; what is not set is left to the library. */
export type RedisServer = Pick<RedisConfig, "addrs"> & Partial<Omit<RedisConfig, "addrs" | "tls">>;

/** PEM. */
export interface TlsFiles {
  readonly ca: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Of one server. */
export function serverOptions(
  config: RedisServer,
  tls: TlsFiles | undefined,
): NodeOptions & { readonly database: number } {
  const [node] = nodesOf(config);
  return {
    ...optionsOf(config),
    database: config.db ?? 0,
    socket: { ...socketOf(config, tls), ...node },
  };
}

interface SentinelOptions {
  readonly name: string;
  readonly sentinelRootNodes: Place[];
  readonly nodeClientOptions: NodeOptions & { readonly database: number };
  readonly sentinelClientOptions: Options & { readonly socket: Socket };
  readonly RESP: RespVersions;
}

/** @param name the master's */
export function sentinelOptions(config: RedisServer, name: string, tls: TlsFiles | undefined): SentinelOptions {
  const socket = socketOf(config, tls);
  const { sentinelusername, sentinelpassword } = config;
  return {
    name,
    sentinelRootNodes: nodesOf(config),
    nodeClientOptions: { ...optionsOf(config), database: config.db ?? 0, socket },
    sentinelClientOptions: { ...COMMON, ...given({ username: sentinelusername, password: sentinelpassword }), socket },
    RESP: respOf(config),
  };
}

interface ClusterOptions {
  readonly rootNodes: NodeOptions[];
  readonly defaults: NodeOptions;
  readonly RESP: RespVersions;
  readonly maxCommandRedirections?: number;
}

export function clusterOptions(config: RedisServer, tls: TlsFiles | undefined): ClusterOptions {
  const { maxredirects } = config;
  return {
    rootNodes: nodesOf(config).map((node) => ({ ...optionsOf(config), socket: { ...socketOf(config, tls), ...node } })),
    defaults: { ...optionsOf(config), socket: socketOf(config, tls) },
    RESP: respOf(config),
    ...given({ maxCommandRedirections: maxredirects }),
  };
}

/** What all connections have. */
const COMMON = {
  disableOfflineQueue: true,
  maintNotifications: "disabled",
  commandsQueueMaxLength: 10_000,
} as const satisfies RedisClientOptions;

type Options = Omit<RedisClientOptions, "RESP" | "socket" | "modules" | "functions" | "scripts">;

interface NodeOptions extends Options {
  readonly RESP: RespVersions;
  readonly socket: Socket;
}

function optionsOf(config: RedisServer): Omit<NodeOptions, "socket"> {
  const { username, password, clientname, identitysuffix, disableidentity = false } = config;
  return {
    ...COMMON,
    RESP: respOf(config),
    disableClientInfo: disableidentity,
    ...given({ username, password, name: clientname, clientInfoTag: identitysuffix }),
  };
}

/** Our commands have the same replies in both; the older one is spoken by every server and proxy. */
function respOf({ protocol }: RedisServer): RespVersions {
  return protocol === 3 ? 3 : 2;
}

const DIAL_TIMEOUT = 5000;
const RECONNECT = { first: 50, longest: 1000 };

function socketOf({ dialtimeout = 0 }: RedisServer, tls: TlsFiles | undefined): Socket {
  return {
    connectTimeout: dialtimeout > 0 ? dialtimeout : DIAL_TIMEOUT,
    reconnectStrategy: (retries) => Math.min(RECONNECT.first * 2 ** retries, RECONNECT.longest),
    ...(tls && {
      tls: true,
      ...given({ cert: tls.cert, key: tls.key, ca: tls.ca.length > 0 ? [...tls.ca] : undefined }),
    }),
  };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function nodesOf({ addrs }: RedisServer): Place[] {
  return addrs.map((addr) => {
    const { host = "localhost", port } = parseAddress(addr);
    return { host, port };
  });
}

type Socket = NonNullable<Exclude<RedisClientOptions["socket"], { tls: false }>>;

/** Leaves out what is not set, so that the library's own default counts. */
function given<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
