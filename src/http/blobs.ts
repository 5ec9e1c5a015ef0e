import { randomBytes } from "node:crypto";
import type { FastifyReply } from "fastify";
import { parseDigest } from "../oci/digest.ts";
import { PreconditionFailed } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { Blob, ByteRange } from "../registry/registry.ts";
import { isSameRange, listsDigest, toEntityTag } from "./conditions.ts";
import { type Exchange, type Handler, repositoryOf } from "./edge.ts";
import { parseRange, toContentRange } from "./ranges.ts";
import { sendBytes } from "./send.ts";

/** Content with a digest never changes. */
const CACHE_CONTROL = "max-age=31536000";

/** GET and HEAD. @see http-api, section 7 */
export const getBlob: Handler = async (edge, exchange) => {
  const { target, request, reply } = exchange;
  const { headers } = request;
  const digest = parseDigest(target.reference);
  const blob = await repositoryOf(edge, exchange).blobs.open(digest);
  reply.headers({ "docker-content-digest": digest, etag: toEntityTag(digest), "cache-control": CACHE_CONTROL });
  if (headers["if-match"] !== undefined && !listsDigest(headers["if-match"], digest)) {
    throw new PreconditionFailed(`If-Match: the blob is ${digest}`);
  }
  if (listsDigest(headers["if-none-match"], digest)) return reply.code(304).send();
  reply.header("accept-ranges", "bytes");
  const mayRange = request.method === "GET" && isSameRange(headers["if-range"]?.toString(), digest);
  const wanted = mayRange ? headers.range : undefined;
  const answer = parseRange(wanted, blob.descriptor.size);
  switch (answer.kind) {
    case "whole":
      return await sendPart(exchange, blob, { start: 0, length: blob.descriptor.size });
    case "ranges":
      return answer.ranges.length === 1
        ? await sendPart(exchange, blob, answer.ranges[0], true)
        : await sendParts(exchange, blob, answer.ranges);
    case "unsatisfiable":
      return refuseRange(reply, blob, answer.reason);
  }
};

/** @see http-api, section 7, "DELETE" */
export const deleteBlob: Handler = async (edge, exchange) => {
  const digest = parseDigest(exchange.target.reference);
  await repositoryOf(edge, exchange).blobs.delete(digest);
  return exchange.reply.code(202).header("content-length", "0").send();
};

function refuseRange(reply: FastifyReply, blob: Blob, reason: string): FastifyReply {
  return reply
    .code(416)
    .removeHeader("etag")
    .removeHeader("cache-control")
    .headers({
      "content-range": `bytes */${blob.descriptor.size}`,
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    })
    .send(`${reason}\n`);
}

async function sendPart(exchange: Exchange, blob: Blob, range: ByteRange, partial = false): Promise<FastifyReply> {
  const { reply } = exchange;
  reply.code(partial ? 206 : 200).headers({
    "content-type": MediaType.octetStream,
    "content-length": String(range.length),
    ...(partial && { "content-range": toContentRange(range, blob.descriptor.size) }),
  });
  return await sendBody(exchange, blob, [{ head: "", range }], "");
}

/** @see RFC 9110, section 14.6 */
async function sendParts(exchange: Exchange, blob: Blob, ranges: readonly ByteRange[]): Promise<FastifyReply> {
  const boundary = randomBytes(30).toString("hex");
  const { size } = blob.descriptor;
  const parts = ranges.map((range, index) => ({
    range,
    head: `${index > 0 ? "\r\n" : ""}--${boundary}\r\nContent-Range: ${toContentRange(range, size)}\r\nContent-Type: ${MediaType.octetStream}\r\n\r\n`,
  }));
  const tail = `\r\n--${boundary}--\r\n`;
  const length = parts.reduce((sum, { head, range }) => sum + head.length + range.length, tail.length);
  exchange.reply.code(206).headers({
    "content-type": `multipart/byteranges; boundary=${boundary}`,
    "content-length": String(length),
  });
  return await sendBody(exchange, blob, parts, tail);
}

interface Part {
  readonly head: string;
  readonly range: ByteRange;
}

/** Opens the blob before the head is sent: what cannot be opened still gets an error. */
async function sendBody(
  { request, reply }: Exchange,
  blob: Blob,
  parts: readonly Part[],
  tail: string,
): Promise<FastifyReply> {
  if (request.method === "HEAD") return reply.send();
  const [first] = parts;
  if (!first || first.range.length === 0) return reply.send();
  let reader = await blob.read(first.range);
  try {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    for (const part of parts) {
      if (part !== first) {
        await reader[Symbol.asyncDispose]();
        reader = await blob.read(part.range);
      }
      if (part.head !== "") response.write(part.head);
      if (!(await sendBytes(response, reader, part.range.length))) return reply;
    }
    response.end(tail);
  } catch (error) {
    request.log.error({ err: error }, "a blob could not be sent whole; the connection was dropped");
    reply.raw.destroy();
  } finally {
    await reader[Symbol.asyncDispose]();
  }
  return reply;
}
