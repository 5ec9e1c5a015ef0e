import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RedirectingDriver, RedirectRequest } from "../../src/storage/driver.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";

/** A storage in memory whose objects clients fetch from a file server of its own. Disposal ends both. */
export interface RedirectingStorage extends AsyncDisposable {
  readonly driver: RedirectingDriver;
  /** Of the file server, without a slash at its end. */
  readonly origin: string;
  /** What clients asked the file server for, as `GET /docker/…`. */
  readonly requests: readonly string[];
}

export async function openRedirectingStorage(): Promise<RedirectingStorage> {
  const requests: string[] = [];
  const memory = new MemoryDriver();
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void serve(memory, request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const redirectUrl = async (path: string, { method }: RedirectRequest): Promise<URL> =>
    new URL(`${path}?signed-for=${method}`, origin);
  return {
    driver: Object.assign(memory, { redirectUrl }),
    origin,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await memory[Symbol.asyncDispose]();
    },
  };
}

/** A URL is good for one method, as with object stores. */
async function serve(storage: MemoryDriver, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const allowed = url.searchParams.get("signed-for") === request.method;
  const bytes = allowed ? await storage.getContent(url.pathname).catch(() => undefined) : undefined;
  response.writeHead(bytes ? 200 : 403, { "Content-Length": bytes?.length ?? 0 });
  response.end(request.method === "HEAD" ? undefined : bytes);
}
