/** What became of a request, for those who tell of it. */
import type { Exchange } from "./exchange.ts";

/** 499 where the client left before the answer, as the peers log it. */
export function statusOf({ reply: { response } }: Exchange): number {
  return response.headersSent ? response.statusCode : 499;
}

/** Bytes of the body; 0 where it was cut short. */
export function sentBytes({ reply, method }: Exchange): number {
  if (!reply.response.writableFinished || method === "HEAD") return 0;
  return Number(reply.getHeader("content-length") ?? 0);
}
