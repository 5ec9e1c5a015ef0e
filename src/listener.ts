import type { RequestListener } from "node:http";
import type { Config } from "./config/config.ts";
import { HttpServer } from "./http/http-server.ts";
import { type ConnectionPeers, SharedConnections } from "./http/shared-connections.ts";
import type { Log } from "./telemetry/log.ts";
import { openTls } from "./tls/open-tls.ts";

/** What takes connections, for the life of the process. It does not listen yet. */
export interface Listener extends AsyncDisposable {
  readonly server: HttpServer;
  /** Reads the files of `http.tls` again. */
  reload(): void;
  /** What of another configuration it can heed. */
  become(config: Config): void;
}

/**
 * @param answer gets every request
 * @param peers take connections beside this one
 * @throws {ConfigError} where a file of `http.tls` cannot be used
 */
export async function openListener(
  config: Config,
  log: Log,
  answer: RequestListener,
  peers?: ConnectionPeers,
): Promise<Listener> {
  await using parts = new AsyncDisposableStack();
  const tls = parts.use(await openTls(config, log));
  const { http, wharfinger } = config;
  const { timeouts, limits } = wharfinger;
  const { connections } = limits;
  const protocols = { http2: !http.http2.disabled, h2c: http.h2c.enabled };
  const server = new HttpServer({ tls, ...protocols, connections, stall: timeouts.body, timeouts }, answer);
  const shared = peers && new SharedConnections(server, peers, connections);
  const owned = parts.move();
  return {
    server,
    reload: () => tls?.reload(),
    become: (next) => (shared ?? server).limitConnections(next.wharfinger.limits.connections),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
