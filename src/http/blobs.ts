import type { IncomingMessage, ServerResponse } from "node:http";
import { parseBlobDigest } from "../oci/blob-digest.ts";
import { BlobUnknown } from "../oci/errors.ts";
import type { Blob } from "../registry/registry.ts";
import { type BlobAnswer, sendBlobAnswer, toBlobAnswer } from "./blob-answer.ts";
import { hangUp } from "./connection.ts";
import { type Edge, type Handler, repositoryOf } from "./edge.ts";
import { toAnswer } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { endWith } from "./reply.ts";

/** GET and HEAD. @see http-api, section 7 */
export const getBlob: Handler = async (edge, exchange) => {
  const { blobs } = repositoryOf(edge, exchange);
  const digest = parseBlobDigest(exchange.target.reference);
  const blob = await blobs.open(digest);
  try {
    await answerWith(edge, blob, exchange);
  } catch (error) {
    if (!(error instanceof BlobUnknown) || exchange.reply.response.headersSent) throw error;
    await answerWith(edge, await blobs.open(digest), exchange); // a cache may have been wrong, and now is right
  }
};

async function answerWith({ log }: Edge, blob: Blob, { request, reply }: Exchange): Promise<void> {
  const answer = await toBlobAnswer(blob, request);
  reply.code(answer.status).headers(answer.headers);
  if (isShort(request, answer)) return reply.send(answer.tail === "" ? undefined : answer.tail);
  try {
    await sendBlobAnswer(reply, blob, answer);
  } catch (error) {
    if (!reply.response.headersSent) throw error;
    log.error({ err: error }, "a blob could not be sent whole; the connection was dropped");
    hangUp(request, { ours: true });
  }
}

/** @see http-api, section 7, "DELETE" */
export const deleteBlob: Handler = async (edge, exchange) => {
  const digest = parseBlobDigest(exchange.target.reference);
  await repositoryOf(edge, exchange).blobs.delete(digest);
  exchange.reply.code(202).header("content-length", "0").send();
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
  const sendHead = () => response.writeHead(answer.status, answer.headers);
  if (isShort(request, answer)) sendHead().end(answer.tail);
  else await sendBlobAnswer({ response, sendHead, end: (body) => endWith(response, body) }, blob, answer);
}

/** Whether no byte of the blob is needed. */
function isShort(request: IncomingMessage, answer: BlobAnswer): boolean {
  return request.method === "HEAD" || answer.parts.length === 0;
}
