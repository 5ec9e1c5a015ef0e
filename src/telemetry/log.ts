/**
 * The program's own log, on stderr, a line an event:
 *
 *     text      time="2026-11-21T02:50:40.123Z" level=info msg="listening on :5000" service=registry
 *     json      {"level":"info","msg":"listening on :5000","service":"registry","time":"…"}
 *     logstash  json with "@timestamp", "@version" and the text as "message"
 *
 * @see ops, section 6
 */
import { destination, type Logger, pino } from "pino";

export interface LogOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly formatter: "text" | "json" | "logstash";
  /** Added to every line. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Log = Logger;

/** @param write takes whole lines; stderr by default, synchronously, so that the last words of a process are not lost */
export function createLog(options: LogOptions, write: (line: string) => void = toStderr()): Log {
  const print = PRINTERS[options.formatter];
  return pino(
    {
      level: options.level,
      base: options.fields,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
    },
    { write: (line) => write(`${print(JSON.parse(line) as Line)}\n`) },
  );
}

type Line = Readonly<Record<string, unknown>>;

const PRINTERS: Readonly<Record<LogOptions["formatter"], (line: Line) => string>> = {
  text: printText,
  json: (line) => JSON.stringify(sorted(line)),
  logstash: ({ msg, time, ...rest }) =>
    JSON.stringify(sorted({ ...rest, "@timestamp": time, "@version": "1", message: msg })),
};

function printText({ time, level, msg, ...rest }: Line): string {
  const head = [`time=${quoted(time)}`, `level=${level}`, `msg=${quoted(msg ?? "")}`];
  return [...head, ...Object.entries(sorted(rest)).map(([key, value]) => `${key}=${quoted(value)}`)].join(" ");
}

function sorted(line: Line): Line {
  return Object.fromEntries(Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Bare where it consists of harmless characters only, as logrus prints it. */
function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[A-Za-z0-9\-._/@^+]+$/.test(text) ? text : JSON.stringify(text);
}

function toStderr(): (line: string) => void {
  const stderr = destination({ dest: 2, sync: true });
  return (line) => stderr.write(line);
}
