/**
 * What Node's own server can do at most: `ceiling.ts <port> <file>` sends what was recorded, from memory, by the path alone;
 * `/bytes/N` sends that many.
 */
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { keepHeapSmall } from "../../src/lib/heap.ts";
import type { Recorded } from "./reads.ts";

keepHeapSmall();
const [port, file] = process.argv.slice(2);
const recorded = JSON.parse(readFileSync(file ?? "", "utf8")) as Readonly<Record<string, Recorded>>;
const answers = new Map(
  Object.entries(recorded).map(([path, { headers, body }]) => [path, { headers, body: Buffer.from(body, "base64") }]),
);
const PIECE = Buffer.alloc(256 * 1024, "x");

const server = createServer(({ method, url = "" }, response) => {
  const answer = answers.get(url);
  if (answer) response.writeHead(200, answer.headers).end(method === "HEAD" ? undefined : answer.body);
  else if (url.startsWith("/bytes/")) sendBytes(response, Number(url.slice("/bytes/".length)));
  else response.writeHead(url === "/v2/" ? 200 : 404).end();
});
server.listen(Number(port), "127.0.0.1");

function sendBytes(response: ServerResponse, length: number): void {
  response.writeHead(200, { "Content-Length": length });
  let left = length;
  const next = (): void => {
    if (left === 0) return void response.end();
    const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
    left -= piece.length;
    response.write(piece, next);
  };
  next();
}
