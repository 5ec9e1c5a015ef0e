/** The program's own log, on stderr, a line an event. */
import { destination, type Logger, pino } from "pino";
import { callSite } from "./call-site.ts";
import { type Formatter, type Line, PRINTERS } from "./line-format.ts";

export interface LogOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly formatter: Formatter;
  /** Added to every line. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Adds to every line, but to those of requests, where in our sources it comes from. */
  readonly reportcaller?: boolean;
  /** Told of every line as well. */
  readonly hook?: ((line: Line) => void) | undefined;
}

export type Log = Logger;

/**
 * @param options a function is asked for every line, but for the level, which is to be set at the log itself
 * @param write takes whole lines; stderr by default, synchronously, so that the last words of a process are
 *   not lost
 */
export function createLog(options: LogOptions | (() => LogOptions), write: (line: string) => void = toStderr()): Log {
  const current = typeof options === "function" ? options : () => options;
  return pino(
    {
      level: current().level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
      mixin: () => ({ ...current().fields, ...(current().reportcaller && callSite()) }),
    },
    {
      write(text) {
        const { formatter, hook } = current();
        const line = JSON.parse(text) as Line;
        write(`${PRINTERS[formatter](line)}\n`);
        hook?.(line);
      },
    },
  );
}

function toStderr(): (line: string) => void {
  const stderr = destination({ dest: 2, sync: true });
  return (line) => stderr.write(line);
}
