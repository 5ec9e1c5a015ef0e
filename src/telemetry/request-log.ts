import type { RequestLine } from "../http/request-line.ts";
import { PRINTERS } from "./line-format.ts";
import type { LogOptions } from "./log.ts";

export interface RequestLog {
  /** Whether anybody reads of requests that did well. */
  takesInfo(): boolean;
  write(lines: readonly RequestLine[], now: Date): void;
}

/**
 * The lines of requests. They come by the thousand, so they take none of the way of other lines but their form.
 *
 * @param options asked for every request
 * @param write takes whole lines
 */
export function createRequestLog(options: () => LogOptions, write: (line: string) => void): RequestLog {
  const takesInfo = (): boolean => options().level === "info" || options().level === "debug";
  return {
    takesInfo,
    write(lines, now) {
      const { formatter, fields, hook } = options();
      for (const { level, msg, fields: own } of lines) {
        if (level === "info" && !takesInfo()) continue;
        const line = { time: now.toISOString(), level, msg, ...fields, ...own };
        write(`${PRINTERS[formatter](line)}\n`);
        hook?.(line);
      }
    },
  };
}
