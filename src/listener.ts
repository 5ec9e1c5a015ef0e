import type { RequestListener } from "node:http";
import type { Config } from "./config/config.ts";
import { HttpServer } from "./http/http-server.ts";
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
 * @throws {ConfigError} where a file of `http.tls` cannot be used
 */
export async function openListener(config: Config, log: Log, answer: RequestListener): Promise<Listener> {
  await using parts = new AsyncDisposableStack();
  const tls = parts.use(await openTls(config, log));
  const { http, wharfinger } = config;
  const { timeouts, limits } = wharfinger;
  const { connections } = limits;
  const protocols = { http2: !http.http2.disabled, h2c: http.h2c.enabled };
  const server = new HttpServer({ tls, ...protocols, connections, stall: timeouts.body, timeouts }, answer);
  const owned = parts.move();
  return {
    server,
    reload: () => tls?.reload(),
    become: (next) => server.limitConnections(next.wharfinger.limits.connections),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
