/**
 * What operators and their monitoring ask for, on a listener of its own, over plain HTTP and without access control.
 *
 * @see ops, section 3
 */
import type { ServerResponse } from "node:http";
import { listen, toText } from "../lib/listening.ts";
import { http } from "../lib/node-http.ts";

export interface DebugPages {
  /** What is not well, by the name of its check. */
  readonly failures: () => Awaitable<Readonly<Record<string, string>>>;
  /** The program's variables. Nothing in them is secret. */
  readonly variables: () => unknown;
  /** Not set: none. */
  readonly metrics?: MetricsPage | undefined;
}

type Awaitable<T> = T | Promise<T>;

export interface MetricsPage {
  /** Begins with a slash. */
  readonly path: string;
  readonly contentType: string;
  read(): Promise<string>;
}

export interface DebugServer extends AsyncDisposable {
  /** @returns the address as people write it */
  listen(host: string | undefined, port: number): Promise<string>;
}

export function createDebugServer(pages: DebugPages): DebugServer {
  const server = http.createServer({
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1000,
  });
  server.on("request", ({ method = "", url = "/" }, response: ServerResponse) => {
    answer(pages, method, url.split("?", 1)[0] ?? "/", response).catch(() => response.destroy());
  });
  return {
    listen: async (host, port) => {
      await listen(server, { port, ...(host !== undefined && { host }) });
      return toText(server.address());
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(pages: DebugPages, method: string, path: string, response: ServerResponse): Promise<void> {
  const { metrics } = pages;
  if (path === metrics?.path && (method === "GET" || method === "HEAD")) {
    return send(response, 200, metrics.contentType, await metrics.read());
  }
  if (method === "GET" && path === "/debug/health") return sendHealth(response, await pages.failures());
  if (method === "GET" && path === "/debug/vars") return sendJson(response, 200, await pages.variables());
  send(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

function sendHealth(response: ServerResponse, failures: Readonly<Record<string, string>>): void {
  sendJson(response, Object.keys(failures).length > 0 ? 503 : 200, failures);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": body.length,
    "X-Content-Type-Options": "nosniff",
  });
  response.end(body);
}
