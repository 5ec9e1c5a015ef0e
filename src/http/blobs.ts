import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { parseBlobDigest } from "../oci/blob-digest.ts";
import { BlobUnknown } from "../oci/errors.ts";
import type { Blob } from "../registry/registry.ts";
import { type BlobAnswer, sendBlobAnswer, toBlobAnswer } from "./blob-answer.ts";
import { hangUp } from "./connection.ts";
import { type Exchange, type Handler, repositoryOf } from "./edge.ts";
import { toAnswer } from "./errors.ts";

/** GET and HEAD. @see http-api, section 7 */
export const getBlob: Handler = async (edge, exchange) => {
  const { blobs } = repositoryOf(edge, exchange);
  const digest = parseBlobDigest(exchange.target.reference);
  const blob = await blobs.open(digest);
  try {
    return await answerWith(blob, exchange);
  } catch (error) {
    if (!(error instanceof BlobUnknown) || exchange.reply.raw.headersSent) throw error;
    return await answerWith(await blobs.open(digest), exchange); // a cache may have been wrong, and now is right
  }
};

async function answerWith(blob: Blob, { request, reply }: Exchange): Promise<FastifyReply> {
  const answer = await toBlobAnswer(blob, request.raw);
  if (isShort(request.raw, answer)) {
    reply.code(answer.status).headers(answer.headers);
    return answer.tail === "" ? reply.send() : reply.send(answer.tail);
  }
  reply.headers(answer.headers);
  try {
    await sendBlobAnswer(reply.raw, blob, answer, reply.getHeaders() as Record<string, string>);
  } catch (error) {
    if (!reply.raw.headersSent) throw error;
    request.log.error({ err: error }, "a blob could not be sent whole; the connection was dropped");
    hangUp(request.raw, { ours: true });
  }
  return reply.hijack();
}

/** @see http-api, section 7, "DELETE" */
export const deleteBlob: Handler = async (edge, exchange) => {
  const digest = parseBlobDigest(exchange.target.reference);
  await repositoryOf(edge, exchange).blobs.delete(digest);
  return exchange.reply.code(202).header("content-length", "0").send();
};

/**
 * Answers requests for one blob as the API does, with its digest, conditions and ranges, wherever a program's own server
 * wants it; the request's URL does not matter. Methods other than GET and HEAD are refused.
 */
export function blobHandler(blob: Blob): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      await answerBlob(blob, request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const { status, headers, body } = toAnswer(error);
      response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
    }
  };
}

async function answerBlob(blob: Blob, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD", "content-length": "0" }).end();
    return;
  }
  const answer = await toBlobAnswer(blob, request);
  if (isShort(request, answer)) response.writeHead(answer.status, answer.headers).end(answer.tail);
  else await sendBlobAnswer(response, blob, answer, answer.headers);
}

/** Whether no byte of the blob is needed. */
function isShort(request: IncomingMessage, answer: BlobAnswer): boolean {
  return request.method === "HEAD" || answer.parts.length === 0;
}
