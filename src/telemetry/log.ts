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

/** @param write takes whole lines; stderr by default, synchronously, so that the last words of a process are not lost */
export function createLog(options: LogOptions, write: (line: string) => void = toStderr()): Log {
  const print = PRINTERS[options.formatter];
  const { hook } = options;
  return pino(
    {
      level: options.level,
      base: options.fields,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
      ...(options.reportcaller && { mixin: callSite }),
    },
    {
      write(text) {
        const line = JSON.parse(text) as Line;
        write(`${print(line)}\n`);
        hook?.(line);
      },
    },
  );
}

function toStderr(): (line: string) => void {
  const stderr = destination({ dest: 2, sync: true });
  return (line) => stderr.write(line);
}
