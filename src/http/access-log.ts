/**
 * One line a request, in Apache's combined format:
 *
 *     127.0.0.1 - - [21/Nov/2026:02:50:40 +0000] "GET /v2/ HTTP/1.1" 200 2 "referer" "agent"
 *
 * @see ops, section 6
 */
import type { FastifyReply, FastifyRequest } from "fastify";

export function accessLine(request: FastifyRequest, reply: FastifyReply, now: Date): string {
  const { raw, method, originalUrl, headers } = request;
  const length = reply.getHeader("content-length") ?? 0;
  const sent = reply.raw.writableFinished && method !== "HEAD" ? length : 0;
  const line = `${method} ${maskState(originalUrl)} HTTP/${raw.httpVersion}`;
  const host = (raw.socket.remoteAddress ?? "-").replace(/^::ffff:/, "");
  const [referer, agent] = [headers.referer ?? "", headers["user-agent"] ?? ""];
  return `${host} - - [${stamp(now)}] ${quote(line)} ${statusOf(reply)} ${sent} ${quote(referer)} ${quote(agent)}\n`;
}

/** Whoever reads a log must not be able to take over an upload. */
function maskState(url: string): string {
  const mark = url.indexOf("?");
  if (mark < 0) return url;
  const parts = url
    .slice(mark + 1)
    .split("&")
    .map((part) => {
      const [key = ""] = part.split("=", 1);
      return new URLSearchParams(key).has("_state") ? `${key}=…` : part;
    });
  return `${url.slice(0, mark)}?${parts.join("&")}`;
}

/** 499 where the client left before the answer, as the peers log it. */
function statusOf(reply: FastifyReply): number {
  return reply.raw.headersSent ? reply.raw.statusCode : 499;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function stamp(date: Date): string {
  const [day, time] = date.toISOString().split("T") as [string, string];
  const [year, month, monthDay] = day.split("-");
  return `${monthDay}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
