import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders as Http2Headers,
} from "node:http2";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ListeningOptions } from "../../src/http/open-server.ts";
import type { ServerTls } from "../../src/tls/server-tls.ts";
import type { Answer, SendInit } from "./exchange.ts";
import { type SelfSigned, selfSigned } from "./self-signed.ts";

const PROTOCOLS = ["http", "tls", "h2", "h2c"] as const;

/** HTTP/1 plain and encrypted, HTTP/2 encrypted and plain. */
export type ProtocolName = (typeof PROTOCOLS)[number];

/** One way to speak to a server, and what the server needs for it. */
export interface Protocol {
  readonly scheme: "http" | "https";
  readonly server: Partial<ListeningOptions>;
  exchange(origin: string, method: string, path: string, init: SendInit): Promise<Answer>;
  /** A connection for bytes of HTTP/1. */
  connect(port: number): Socket;
  close(): void;
}

export async function openProtocol(name: ProtocolName = named()): Promise<Protocol> {
  const encrypted = name === "tls" || name === "h2";
  const pair = encrypted ? await certificate() : undefined;
  return {
    scheme: encrypted ? "https" : "http",
    server: { ...(pair && { tls: withPair(pair), http2: name === "h2" }), ...(name === "h2c" && { h2c: true }) },
    ...(name === "h2" || name === "h2c" ? overHttp2() : overHttp1(encrypted)),
    connect: (port) => (encrypted ? connectTls({ ...to(port), ALPNProtocols: ["http/1.1"] }) : connect(to(port))),
  };
}

function named(): ProtocolName {
  return PROTOCOLS.find((name) => name === process.env["WHARFINGER_PROTOCOL"]) ?? "http";
}

/** Skips what HTTP/2 has in another way or not at all. */
export const WITHOUT_HTTP1: string | false = named().startsWith("h2") && "this is about HTTP/1";

let made: Promise<SelfSigned> | undefined;

/** One for all tests of a process. */
export async function certificate(): Promise<SelfSigned> {
  made ??= selfSigned();
  return await made;
}

export function withPair({ key, cert }: SelfSigned): ServerTls {
  return { options: { key, cert }, attach: () => undefined, admits: () => true, challenged: () => undefined };
}

function to(port: number): { port: number; host: string; rejectUnauthorized: false } {
  return { port, host: "127.0.0.1", rejectUnauthorized: false };
}

function overHttp1(encrypted: boolean): Pick<Protocol, "exchange" | "close"> {
  const agent = encrypted
    ? new HttpsAgent({ keepAlive: true, rejectUnauthorized: false })
    : new Agent({ keepAlive: true });
  const open = encrypted ? requestHttps : request;
  return {
    close: () => agent.destroy(),
    exchange: async (origin, method, path, { headers, body }) => {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const outgoing = open(origin, { agent, method, path, headers: { ...lengthOf(body), ...headers } });
      outgoing.on("response", resolve).on("error", reject);
      if (body !== undefined) for (const chunk of Array.isArray(body) ? body : [body]) outgoing.write(chunk);
      outgoing.end();
      const incoming = await promise;
      const { statusCode, headers: received, rawHeaders } = incoming;
      return { status: statusCode ?? 0, headers: received, rawHeaders, body: await wholeOf(incoming) };
    },
  };
}

/** One connection for all requests. */
function overHttp2(): Pick<Protocol, "exchange" | "close"> {
  let session: ClientHttp2Session | undefined;
  return {
    close: () => session?.destroy(),
    exchange: async (origin, method, path, { headers, body }) => {
      if (!session || session.destroyed || session.closed) {
        session = connectHttp2(origin, { rejectUnauthorized: false });
        session.on("error", () => undefined); // told to the requests
      }
      const stream = session.request(
        { ...lowered({ ...lengthOf(body), ...headers }), ":method": method, ":path": path },
        { endStream: body === undefined },
      );
      if (body !== undefined) {
        for (const chunk of Array.isArray(body) ? body : [body]) stream.write(chunk);
        stream.end();
      }
      const [received, , raw = []] = (await once(stream, "response")) as [Http2Headers, number, string[]];
      return { status: Number(received[":status"]), ...withoutPseudo(received, raw), body: await wholeOf(stream) };
    },
  };
}

function lengthOf(body: SendInit["body"]): { readonly "Content-Length"?: number } {
  return typeof body === "string" || body instanceof Uint8Array ? { "Content-Length": Buffer.byteLength(body) } : {};
}

/** What belongs to a connection has no place in HTTP/2. */
function lowered(headers: NonNullable<SendInit["headers"]>): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name]) => !/^(?:connection|transfer-encoding)$/i.test(name));
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const lower = name.toLowerCase();
      const text = Array.isArray(value) ? [...value] : String(value);
      return [lower === "host" ? constants.HTTP2_HEADER_AUTHORITY : lower, text];
    }),
  );
}

function withoutPseudo(headers: Http2Headers, raw: readonly string[]): Pick<Answer, "headers" | "rawHeaders"> {
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
  const pairs = raw.flatMap((name, index) =>
    index % 2 === 0 && !name.startsWith(":") ? [name, raw[index + 1] ?? ""] : [],
  );
  return { headers: Object.fromEntries(kept), rawHeaders: pairs };
}

async function wholeOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}
