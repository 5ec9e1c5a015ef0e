/**
 * One line a request, in Apache's combined format:
 *
 *     127.0.0.1 - - [21/Nov/2026:02:50:40 +0000] "GET /v2/ HTTP/1.1" 200 2 "referer" "agent"
 *
 * @see ops, section 6
 */
import { sentBytes, statusOf } from "./answered.ts";
import type { Exchange } from "./exchange.ts";
import { trustedAddress } from "./forwarding.ts";
import { maskedUrl } from "./masked-url.ts";

export function accessLine(exchange: Exchange, now: Date): string {
  const { url = "", headers, httpVersion } = exchange.request;
  const line = `${exchange.method} ${maskedUrl(url)} HTTP/${httpVersion}`;
  const host = trustedAddress(exchange.request) ?? "-";
  const [referer, agent] = [maskedUrl(headers.referer ?? ""), headers["user-agent"] ?? ""];
  return `${host} - - [${stamp(now)}] ${quote(line)} ${statusOf(exchange)} ${sentBytes(exchange)} ${quote(referer)} ${quote(agent)}\n`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let [second, text] = [-1, ""];

/** Made once a second: with one a request it was the dearest part of a line. */
function stamp(date: Date): string {
  const now = Math.floor(date.getTime() / 1000);
  if (now !== second) [second, text] = [now, print(date)];
  return text;
}

function print(date: Date): string {
  const [day, time] = date.toISOString().split("T") as [string, string];
  const [year, month, monthDay] = day.split("-");
  return `${monthDay}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}

function quote(text: string): string {
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : `"${text}"`;
}
