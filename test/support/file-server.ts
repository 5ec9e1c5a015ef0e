import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** Serves a folder's files, as nginx would: GET and HEAD, whole or from one byte on. */
export interface FileServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly origin: string;
  /** As `GET /docker/…`, and the range behind it where there was one. */
  readonly requests: readonly string[];
}

export async function serveFolder(folder: string): Promise<FileServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push(`${request.method} ${request.url}${range === undefined ? "" : ` ${range}`}`);
    send(folder, request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function send(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = `${folder}${new URL(request.url ?? "/", "http://localhost").pathname}`;
  const size = await stat(path).then(
    (info) => info.size,
    () => undefined,
  );
  if (size === undefined) return void response.writeHead(404).end();
  const [, first] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const start = Number(first ?? 0);
  const range = first === undefined ? {} : { "Content-Range": `bytes ${start}-${size - 1}/${size}` };
  response.writeHead(first === undefined ? 200 : 206, { "Content-Length": size - start, ...range });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(path, { start }), response);
}
