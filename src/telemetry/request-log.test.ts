import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestLine } from "../http/request-line.ts";
import type { Line } from "./line-format.ts";
import type { LogOptions } from "./log.ts";
import { createRequestLog } from "./request-log.ts";

const NOW = new Date("2026-11-21T02:50:40.123Z");
const COMPLETED = { level: "info", msg: "response completed", fields: { "vars.name": "a", undefined } } as const;
const FAILED = { level: "error", msg: "response completed with error", fields: { "err.code": "unknown" } } as const;

test("a line has the fields of the process and of its request, by name", () => {
  assert.deepEqual(print({}, COMPLETED, FAILED), [
    'time="2026-11-21T02:50:40.123Z" level=info msg="response completed" service=registry vars.name=a\n',
    'time="2026-11-21T02:50:40.123Z" level=error msg="response completed with error" err.code=unknown service=registry\n',
  ]);
});

test("requests that succeed are left out above the level info", () => {
  for (const [level, lines] of [
    ["debug", 2],
    ["info", 2],
    ["warn", 1],
    ["error", 1],
  ] as const) {
    assert.equal(print({ level }, COMPLETED, FAILED).length, lines, level);
  }
});

test("a hook is told of every line that is printed", () => {
  const told: Line[] = [];
  print({ level: "error", hook: (line) => told.push(line) }, COMPLETED, FAILED);
  assert.deepEqual(
    told.map(({ msg, service }) => [msg, service]),
    [["response completed with error", "registry"]],
  );
});

function print(options: Partial<LogOptions>, ...requests: readonly RequestLine[]): readonly string[] {
  const lines: string[] = [];
  const log = createRequestLog(
    () => ({ level: "info", formatter: "text", fields: { service: "registry" }, ...options }),
    (line) => lines.push(line),
  );
  log.write(requests, NOW);
  return lines;
}
