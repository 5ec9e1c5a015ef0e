/** The client library. To be imported where Redis is configured only: it takes 200 ms to load. */
import { createClient, createCluster, createSentinel, ErrorReply, MultiErrorReply } from "@redis/client";
import { type RedisClient, RefusedCommand, RenewableConnection, type Reply } from "./redis-connection.ts";
import { clusterOptions, type RedisServer, sentinelOptions, serverOptions, type TlsFiles } from "./redis-options.ts";

/** Connects to one server; with a master's name to the sentinels that know it; with several addresses to a cluster. */
export function connectRedis(config: RedisServer, tls: TlsFiles | undefined): RenewableConnection {
  return new RenewableConnection(() => {
    if (config.mastername) return sentinels(config, config.mastername, tls);
    return config.addrs.length > 1 ? cluster(config, tls) : server(config, tls);
  });
}

function server(config: RedisServer, tls: TlsFiles | undefined): RedisClient {
  const client = createClient(serverOptions(config, tls));
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
  const client = createSentinel(sentinelOptions(config, name, tls));
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
  const client = createCluster(clusterOptions(config, tls));
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
