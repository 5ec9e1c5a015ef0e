/** The client library. To be imported where Redis is configured only: it takes 200 ms to load. */
import {
  createClient,
  createCluster,
  createSentinel,
  ErrorReply,
  MultiErrorReply,
  type RedisClientOptions,
  type RespVersions,
} from "@redis/client";
import { parseAddress } from "../config/address.ts";
import type { RedisConfig } from "../config/redis-config.ts";
import { type RedisClient, RefusedCommand, RenewableConnection, type Reply } from "./redis-connection.ts";

/** As in the configuration; what is not set is left to the library. */
export type RedisServer = Pick<RedisConfig, "addrs"> & Partial<Omit<RedisConfig, "addrs" | "tls">>;

/** PEM. */
export interface TlsFiles {
  readonly ca: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Connects to one server; with a master's name to the sentinels that know it; with several addresses to a cluster. */
export function connectRedis(config: RedisServer, tls: TlsFiles | undefined): RenewableConnection {
  return new RenewableConnection(() => {
    if (config.mastername) return sentinels(config, config.mastername, tls);
    return config.addrs.length > 1 ? cluster(config, tls) : server(config, tls);
  });
}

function server(config: RedisServer, tls: TlsFiles | undefined): RedisClient {
  const [node] = nodesOf(config);
  const client = createClient({
    ...optionsOf(config),
    database: config.db ?? 0,
    socket: { ...socketOf(config, tls), ...node },
  });
  return {
    ...watched(client, tls),
    send: ({ args }) => replyOf(client.sendCommand([...args])),
    transact: (commands) => {
      const all = commands.reduce((multi, { args }) => multi.addCommand([...args]), client.multi());
      return repliesOfTransaction(all.exec());
    },
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}

function sentinels(config: RedisServer, name: string, tls: TlsFiles | undefined): RedisClient {
  const socket = socketOf(config, tls);
  const { sentinelusername, sentinelpassword } = config;
  const client = createSentinel({
    name,
    sentinelRootNodes: nodesOf(config),
    nodeClientOptions: { ...optionsOf(config), database: config.db ?? 0, socket },
    sentinelClientOptions: { ...COMMON, ...given({ username: sentinelusername, password: sentinelpassword }), socket },
    RESP: respOf(config),
  });
  return {
    ...watched(client, tls),
    send: ({ args }) => replyOf(client.sendCommand(false, [...args])),
    transact: (commands) => {
      const all = commands.reduce((multi, { args }) => multi.addCommand(false, [...args]), client.multi());
      return repliesOfTransaction(all.exec());
    },
    close: () => client.close(),
    destroy: () => void client.destroy(),
  };
}

/** Keys of one entry lie on different servers, so there are no transactions. Replicas lag behind and are not asked. */
function cluster(config: RedisServer, tls: TlsFiles | undefined): RedisClient {
  const { maxredirects } = config;
  const client = createCluster({
    rootNodes: nodesOf(config).map((node) => ({ ...optionsOf(config), socket: { ...socketOf(config, tls), ...node } })),
    defaults: { ...optionsOf(config), socket: socketOf(config, tls) },
    RESP: respOf(config),
    ...given({ maxCommandRedirections: maxredirects }),
  });
  const send: RedisClient["send"] = ({ key, args }) => replyOf(client.sendCommand(key, false, [...args]));
  return {
    ...watched(client, tls),
    send,
    transact: (commands) => Promise.all(commands.map(send)),
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}

/** A Redis without TLS waits for more of what it takes for a command, and no error comes. */
const NO_TLS = "there is no connection over TLS so far; perhaps the server does not speak it on this port";

interface Watchable {
  connect(): Promise<unknown>;
  on(event: string, listener: (error?: unknown) => void): unknown;
}

/** Commands see that there is no connection, but not why: that is kept until there is one. */
function watched(client: Watchable, tls: TlsFiles | undefined): Pick<RedisClient, "connect" | "problem"> {
  let problem: unknown = tls && new Error(NO_TLS);
  const forget = (): void => {
    problem = undefined;
  };
  client.on("error", (error) => {
    problem = error;
  });
  for (const event of ["ready", "node-ready"]) client.on(event, forget);
  return {
    connect: async () => {
      await client.connect();
      forget();
    },
    problem: () => problem,
  };
}

/** What all connections have. */
const COMMON = {
  disableOfflineQueue: true,
  maintNotifications: "disabled",
  commandsQueueMaxLength: 10_000,
} as const satisfies RedisClientOptions;

type Options = Omit<RedisClientOptions, "RESP" | "socket" | "modules" | "functions" | "scripts">;

function optionsOf(config: RedisServer): Options & { readonly RESP: RespVersions } {
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

function nodesOf({ addrs }: RedisServer): { host: string; port: number }[] {
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

/** What the server refuses is a reply too; what does not reach it is a failure. */
async function replyOf(sent: Promise<unknown>): Promise<Reply> {
  try {
    return (await sent) as Reply;
  } catch (error) {
    if (error instanceof ErrorReply) return new RefusedCommand(error.message, { cause: error });
    throw error;
  }
}

async function repliesOfTransaction(executed: Promise<unknown>): Promise<readonly Reply[]> {
  try {
    return (await executed) as readonly Reply[];
  } catch (error) {
    if (!(error instanceof MultiErrorReply)) throw error;
    return error.replies.map((reply) => (reply instanceof ErrorReply ? new RefusedCommand(reply.message) : reply));
  }
}
