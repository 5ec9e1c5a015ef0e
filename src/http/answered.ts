/** What became of a request, for those who tell of it. */
import type { FastifyReply } from "fastify";

/** 499 where the client left before the answer, as the peers log it. */
export function statusOf(reply: FastifyReply): number {
  return reply.raw.headersSent ? reply.raw.statusCode : 499;
}

/** Bytes of the body; 0 where it was cut short. */
export function sentBytes(reply: FastifyReply): number {
  if (!reply.raw.writableFinished || reply.request.method === "HEAD") return 0;
  return Number(reply.getHeader("content-length") ?? 0);
}
