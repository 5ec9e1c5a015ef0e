import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A span as it was sent, as far as the tests look at it. */
export interface CollectedSpan {
  readonly trace: string;
  readonly id: string;
  /** "" at the root. */
  readonly parent: string;
  readonly name: string;
  /** 2: of a server; 1: internal. */
  readonly kind: number;
  /** Values as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly failed: boolean;
}

export interface TraceCollector extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  readonly resource: Readonly<Record<string, string>>;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
}

/** Takes traces as OTLP over HTTP with protobuf. */
export async function startTraceCollector(status = 200): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const resource: Record<string, string> = {};
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const body = Buffer.concat(parts);
    requests.push({ path: request.url ?? "", headers: request.headers });
    if (status === 200)
      collect(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body, spans, resource);
    response.writeHead(status, { "Content-Type": "application/x-protobuf" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resource,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @see opentelemetry-proto, `ExportTraceServiceRequest` */
function collect(body: Buffer, spans: CollectedSpan[], resource: Record<string, string>): void {
  for (const ofResource of messages(body, 1)) {
    for (const one of messages(ofResource, 1)) Object.assign(resource, attributesOf(one, 1));
    for (const scope of messages(ofResource, 2)) for (const span of messages(scope, 2)) spans.push(toSpan(span));
  }
}

function toSpan(span: Buffer): CollectedSpan {
  const hex = (field: number): string => messages(span, field)[0]?.toString("hex") ?? "";
  const status = messages(span, 15)[0];
  return {
    trace: hex(1),
    id: hex(2),
    parent: hex(4),
    name: messages(span, 5)[0]?.toString() ?? "",
    kind: fieldsOf(span).find(({ field }) => field === 6)?.number ?? 0,
    attributes: attributesOf(span, 9),
    failed: status !== undefined && fieldsOf(status).some(({ field, number }) => field === 3 && number === 2),
  };
}

function attributesOf(message: Buffer, field: number): Record<string, string> {
  return Object.fromEntries(
    messages(message, field).map((pair) => [messages(pair, 1)[0]?.toString() ?? "", textOf(messages(pair, 2)[0])]),
  );
}

function textOf(value: Buffer = Buffer.alloc(0)): string {
  const [one] = fieldsOf(value);
  return one?.bytes?.toString() ?? String(one?.number);
}

function messages(message: Buffer, field: number): readonly Buffer[] {
  return fieldsOf(message).flatMap((one) => (one.field === field && one.bytes ? [one.bytes] : []));
}

interface Field {
  readonly field: number;
  readonly number?: number;
  readonly bytes?: Buffer;
}

function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [field, kind] = [key >> 3, key & 7];
    if (kind === 0) fields.push({ field, number: varint() });
    else {
      const length = kind === 1 ? 8 : kind === 5 ? 4 : varint();
      fields.push({ field, bytes: message.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}
