/**
 * What Node's own server can do at most: `ceiling.ts <port> <file>` sends what was recorded, from memory, by the path alone;
 * `/bytes/N` sends that many, `/turns/N` too and has others served after each piece, `/file/PATH` sends a file, and `/sink/PATH`
 * hashes a body and writes it durably.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { keepHeapSmall } from "../../src/lib/heap.ts";
import type { Recorded } from "./reads.ts";

keepHeapSmall();
const [port, file] = process.argv.slice(2);
const recorded = JSON.parse(readFileSync(file ?? "", "utf8")) as Readonly<Record<string, Recorded>>;
const answers = new Map(
  Object.entries(recorded).map(([path, { headers, body }]) => [path, { headers, body: Buffer.from(body, "base64") }]),
);
const PIECE = Buffer.alloc(256 * 1024, "x");

const server = createServer((request, response) => {
  const { method, url = "" } = request;
  const answer = answers.get(url);
  if (answer) response.writeHead(200, answer.headers).end(method === "HEAD" ? undefined : answer.body);
  else if (url.startsWith("/bytes/")) sendBytes(response, Number(url.slice("/bytes/".length)), (next) => next());
  else if (url.startsWith("/turns/")) sendBytes(response, Number(url.slice("/turns/".length)), setImmediate);
  else if (url.startsWith("/file/")) sendFile(response, url.slice("/file".length));
  else if (url.startsWith("/sink/")) void receive(request, response, url.slice("/sink".length));
  else response.writeHead(url === "/v2/" ? 200 : 404).end();
});
server.listen(Number(port), "127.0.0.1");

function sendBytes(response: ServerResponse, length: number, between: (next: () => void) => void): void {
  response.writeHead(200, { "Content-Length": length });
  let left = length;
  const next = (): void => {
    if (left === 0) return void response.end();
    const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
    left -= piece.length;
    response.write(piece, () => between(next));
  };
  next();
}

/** As fast as was found: pieces of 512 KiB, read without the pool, because they are in memory. */
function sendFile(response: ServerResponse, path: string): void {
  const fd = openSync(path, "r");
  const pieces = [Buffer.allocUnsafeSlow(512 * 1024), Buffer.allocUnsafeSlow(512 * 1024)] as const;
  response.writeHead(200, { "Content-Length": fstatSync(fd).size });
  const next = (turn: 0 | 1): void => {
    const count = readSync(fd, pieces[turn], 0, pieces[turn].length, null);
    if (count > 0) return void response.write(pieces[turn].subarray(0, count), () => next(turn === 0 ? 1 : 0));
    closeSync(fd);
    response.end();
  };
  next(0);
}

/** As fast as was found: half a MiB is written while the next comes in. */
async function receive(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const hash = createHash("sha256");
  await using file = await open(path, "w");
  let waiting: Buffer[] = [];
  let size = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    const pieces = waiting;
    waiting = [];
    size = 0;
    await writing;
    writing = file.writev(pieces);
  };
  for await (const chunk of request) {
    hash.update(chunk);
    waiting.push(chunk);
    size += chunk.length;
    if (size >= 512 * 1024) await flush();
  }
  await flush();
  await writing;
  await file.datasync();
  response.writeHead(201, { "Content-Length": 0, Digest: hash.digest("hex") }).end();
}
