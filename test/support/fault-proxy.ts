import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { finished } from "node:stream/promises";

/** What goes wrong with one request on its way to S3 or back. */
export type Fault =
  | { readonly kind: "reset" }
  /** The server does what it was asked, and nobody hears of it. */
  | { readonly kind: "lost" }
  | { readonly kind: "silence" }
  /** It goes to the server then. */
  | { readonly kind: "late"; readonly until: Promise<void> }
  | { readonly kind: "status"; readonly status: number; readonly body: string }
  /** The body breaks off after so many bytes. */
  | { readonly kind: "cut"; readonly after: number }
  /** The body goes on after so many bytes only when somebody else ends the connection. */
  | { readonly kind: "stall"; readonly after: number }
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> };

export interface ProxiedRequest {
  /** As in S3's API. */
  readonly operation: string;
  /** Of the bucket; empty where it is asked itself. */
  readonly key: string;
  /** Bytes of bodies. */
  readonly sent: number;
  readonly received: number;
}

/** Between a client of S3 and the server: counts, and fails where it is told to. Disposal ends it. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly ProxiedRequest[];
  /** From now on asked for each request. */
  onRequest: (operation: string, key: string, index: number) => Fault | undefined;
  forget(): void;
}

export const SLOW_DOWN: Fault = {
  kind: "status",
  status: 503,
  body: "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
};

/** @param port to listen on; by default any that is free */
export async function startFaultProxy(target: number, port: number = 0): Promise<FaultProxy> {
  const requests: ProxiedRequest[] = [];
  let index = 0;
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const [operation, key] = [operationOf(incoming), keyOf(incoming)];
    const fault = proxy.onRequest(operation, key, index++);
    void pass(agent, target, incoming, outgoing, fault)
      .catch(() => {
        outgoing.socket?.resetAndDestroy(); // as the client would see the server's end without a proxy
        return { sent: 0, received: 0 };
      })
      .then((bytes) => requests.push({ operation, key, ...bytes }));
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  const proxy: FaultProxy = {
    port: (server.address() as AddressInfo).port,
    requests,
    onRequest: () => undefined,
    forget: () => {
      requests.splice(0);
      index = 0;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

interface Bytes {
  readonly sent: number;
  readonly received: number;
}

async function pass(
  agent: Agent,
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<Bytes> {
  if (fault?.kind === "silence") return { sent: 0, received: 0 };
  if (fault?.kind === "reset") {
    incoming.socket.resetAndDestroy();
    return { sent: 0, received: 0 };
  }
  const body = await bytesOf(incoming);
  if (fault?.kind === "late") await fault.until;
  if (fault?.kind === "status") {
    outgoing.writeHead(fault.status, { "Content-Type": "application/xml" }).end(fault.body);
    return { sent: body.length, received: fault.body.length };
  }
  const { method, url, headers } = incoming;
  const asked = request({ agent, host: "127.0.0.1", port, method, path: url, headers });
  asked.on("error", () => undefined); // also after the answer, where the server did not read the whole body
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const content = await bytesOf(answer);
  const bytes = { sent: body.length, received: content.length };
  if (fault?.kind === "lost") {
    outgoing.socket?.resetAndDestroy();
    return bytes;
  }
  const more = fault?.kind === "headers" ? fault.headers : {};
  outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...more });
  if (fault?.kind === "cut") {
    outgoing.write(content.subarray(0, fault.after), () => outgoing.socket?.resetAndDestroy());
    return bytes;
  }
  if (fault?.kind === "stall") {
    outgoing.write(content.subarray(0, fault.after));
    return bytes;
  }
  outgoing.end(content);
  await finished(outgoing);
  return bytes;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

function keyOf({ url }: IncomingMessage): string {
  return decodeURIComponent(new URL(url ?? "/", "http://s3").pathname.split("/").slice(2).join("/"));
}

function operationOf(incoming: IncomingMessage): string {
  const query = new URL(incoming.url ?? "/", "http://s3").searchParams;
  const copies = incoming.headers["x-amz-copy-source"] !== undefined;
  const isBucket = keyOf(incoming) === "";
  switch (incoming.method) {
    case "HEAD":
      return "HeadObject";
    case "DELETE":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    case "PUT":
      if (query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      return query.has("uploadId") ? "CompleteMultipartUpload" : "DeleteObjects";
    default:
      if (isBucket) return query.has("uploads") ? "ListMultipartUploads" : "ListObjectsV2";
      return query.has("uploadId") ? "ListParts" : "GetObject";
  }
}
