import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { SelfSigned } from "./self-signed.ts";

export interface Sent {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Takes everything as if it were S3, and remembers it. Disposal ends it. */
export interface RecordingS3 extends AsyncDisposable {
  readonly sent: readonly Sent[];
  readonly port: number;
  /** As the parameter `regionendpoint`. */
  readonly endpoint: string;
}

const ANSWERS: Readonly<Record<string, string>> = {
  POST: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>",
  PUT: "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>",
};

/** @param tls speaks HTTPS with it */
export async function startRecordingS3(tls?: SelfSigned): Promise<RecordingS3> {
  const sent: Sent[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const { method, url, headers } = request;
    sent.push({ method, url, headers, body: Buffer.concat(parts).toString() });
    response.setHeader("ETag", '"tag"');
    const found = new URL(url ?? "/", "http://s3").searchParams.get("prefix") ?? "";
    const listing = `<ListBucketResult><Contents><Key>${found}</Key><Size>1</Size></Contents></ListBucketResult>`;
    response.end(ANSWERS[method ?? ""] ?? listing);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    sent,
    port,
    endpoint: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
