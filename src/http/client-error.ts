import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { sendWaiting } from "./outbox.ts";

/**
 * What cannot even be parsed as HTTP gets the registry's body too, and the end of its connection; where it comes behind requests
 * that are whole, after their answers.
 */
export function answerClientError(error: ClientError, socket: Socket): void {
  if (error.code === "ECONNRESET" || isInHandshake(socket)) socket.destroy();
  else if (!refused.has(socket)) refuse(error, socket);
}

type ClientError = Error & { readonly code?: string };

/** Connections whose end is decided; each further byte on them is another error. */
const refused = new WeakSet<Socket>();

function refuse(error: ClientError, socket: Socket): void {
  refused.add(socket);
  sendWaiting();
  const answering = answeringOn(socket);
  if (answering?.req.complete) answering.once("close", () => refuse(error, socket));
  else if (answering?.headersSent || socket.destroyed || !socket.writable) socket.destroy();
  else sendRefusal(error, socket);
}

function sendRefusal(error: ClientError, socket: Socket): void {
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
export function refuseHead(response: ServerResponse, status: 400 | 417 | 431 = 431, detail: string = TOO_LONG): void {
  const body = bodyWith(detail);
  const headers = {
    "Docker-Distribution-Api-Version": "registry/2.0",
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  };
  const isLast = response.req.httpVersionMajor === 1;
  response.writeHead(status, { ...headers, ...(isLast && { Connection: "close" }) }).end(body);
}

/** What `checkExpectation` is for. @see RFC 9110, section 10.1.1 */
export function refuseExpectation(_request: unknown, response: ServerResponse): void {
  refuseHead(response, 417, "the request expects something other than 100-continue");
}

function bodyWith(detail: string): string {
  return `${JSON.stringify({ errors: [{ code: "UNKNOWN", message: "bad request", detail }] })}\n`;
}

/** Nobody would understand an answer. */
function isInHandshake(socket: Socket & { readonly secureConnecting?: boolean }): boolean {
  return socket.secureConnecting ?? false;
}

/** The runtime keeps the answer under way at its connection, and asks it in its own handler. */
function answeringOn(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}

const TOO_LONG = "the request's head is longer than 16 KiB";

const ANSWERS: Readonly<Record<string, readonly [status: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request's head did not arrive in time"],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", TOO_LONG],
};
