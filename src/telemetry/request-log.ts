import type { RequestLine } from "../http/request-line.ts";
import { PRINTERS } from "./line-format.ts";
import type { LogOptions } from "./log.ts";

export type RequestLog = (lines: readonly RequestLine[], now: Date) => void;

/**
 * The lines of requests. They come by the thousand, so they take none of the way of other lines but their form.
 *
 * @param write takes whole lines
 */
export function createRequestLog(options: LogOptions, write: (line: string) => void): RequestLog {
  const print = PRINTERS[options.formatter];
  const { fields, hook } = options;
  const silent = options.level === "error" || options.level === "warn";
  return (lines, now) => {
    for (const { level, msg, fields: own } of lines) {
      if (level === "info" && silent) continue;
      const line = { time: now.toISOString(), level, msg, ...fields, ...own };
      write(`${print(line)}\n`);
      hook?.(line);
    }
  };
}
