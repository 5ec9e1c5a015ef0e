/**
 * One line a request, in Apache's combined format:
 *
 *     127.0.0.1 - - [21/Nov/2026:02:50:40 +0000] "GET /v2/ HTTP/1.1" 200 2 "referer" "agent"
 *
 * @see ops, section 6
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { sentBytes, statusOf } from "./answered.ts";
import { trustedAddress } from "./forwarding.ts";
import { maskedUrl } from "./masked-url.ts";

export function accessLine(request: FastifyRequest, reply: FastifyReply, now: Date): string {
  const { raw, method, originalUrl, headers } = request;
  const line = `${method} ${maskedUrl(originalUrl)} HTTP/${raw.httpVersion}`;
  const host = trustedAddress(raw) ?? "-";
  const [referer, agent] = [maskedUrl(headers.referer ?? ""), headers["user-agent"] ?? ""];
  return `${host} - - [${stamp(now)}] ${quote(line)} ${statusOf(reply)} ${sentBytes(reply)} ${quote(referer)} ${quote(agent)}\n`;
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
