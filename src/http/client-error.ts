import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * What cannot even be parsed as HTTP gets the registry's body too, and the end of its connection; only the end where it
 * comes behind a request whose answer is being sent, because it would become part of that.
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (
    error.code === "ECONNRESET" ||
    socket.destroyed ||
    !socket.writable ||
    isAnswering(socket) ||
    isInHandshake(socket)
  ) {
    socket.destroy();
    return;
  }
  const [status, detail] = ANSWERS[error.code ?? ""] ?? ["400 Bad Request", "the request is no valid HTTP"];
  const body = bodyWith(detail);
  const head = [
    `HTTP/1.1 ${status}`,
    "Docker-Distribution-Api-Version: registry/2.0",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** As {@link answerClientError}, where the runtime has taken the head. In HTTP/1 it is the end of the connection as well. */
export function refuseHead(response: ServerResponse, status: 400 | 431 = 431, detail: string = TOO_LONG): void {
  const body = bodyWith(detail);
  const headers = {
    "Docker-Distribution-Api-Version": "registry/2.0",
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
  const isLast = response.req.httpVersionMajor === 1;
  response.writeHead(status, { ...headers, ...(isLast && { Connection: "close" }) }).end(body);
}

function bodyWith(detail: string): string {
  return `${JSON.stringify({ errors: [{ code: "UNKNOWN", message: "bad request", detail }] })}\n`;
}

/** Nobody would understand an answer. */
function isInHandshake(socket: Socket & { readonly secureConnecting?: boolean }): boolean {
  return socket.secureConnecting ?? false;
}

/** The runtime keeps the answer under way at its connection, and asks it the same in its own handler. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}

const TOO_LONG = "the request's head is longer than 16 KiB";

const ANSWERS: Readonly<Record<string, readonly [status: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request's head did not arrive in time"],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", TOO_LONG],
};
