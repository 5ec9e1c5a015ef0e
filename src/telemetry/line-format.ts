/**
 * A line of the log as it is printed:
 *
 *     text      time="2026-11-21T02:50:40.123Z" level=info msg="listening on :5000" service=registry
 *     json      {"level":"info","msg":"listening on :5000","service":"registry","time":"…"}
 *     logstash  json with "@timestamp", "@version" and the text as "message"
 *
 * @see ops, section 6
 */

export type Formatter = "text" | "json" | "logstash";

/** With `time`, `level`, `msg` and whatever else belongs to it. */
export type Line = Readonly<Record<string, unknown>>;

export const PRINTERS: Readonly<Record<Formatter, (line: Line) => string>> = {
  text: printText,
  json: (line) => JSON.stringify(sorted(line)),
  logstash: ({ msg, time, ...rest }) =>
    JSON.stringify(sorted({ ...rest, "@timestamp": time, "@version": "1", message: msg })),
};

function printText(line: Line): string {
  let text = `time=${quoted(line["time"])} level=${line["level"]} msg=${quoted(line["msg"] ?? "")}`;
  for (const key of Object.keys(line).sort()) {
    if (line[key] !== undefined && !FIRST.has(key)) text += ` ${key}=${quoted(line[key])}`;
  }
  return text;
}

const FIRST: ReadonlySet<string> = new Set(["time", "level", "msg"]);

function sorted(line: Line): Line {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(line).sort()) result[key] = line[key];
  return result;
}

/** Bare where it consists of harmless characters only, as logrus prints it. */
function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (/^[A-Za-z0-9\-._/@^+]+$/.test(text)) return text;
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** What JSON prints as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;
