import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog, type LogOptions } from "./log.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("text has time, level and message first, then the fields by name, quoted where they have to be", () => {
  const [lines, log] = open("text", { service: "registry" });
  log.info({ zeta: "a b", alpha: 'say "x"', count: 5, path: "/a/b@c+d^e-f_g.h", list: [1] }, "listening on :5000");
  log.warn("");
  log.error("one-word");
  assert.match(
    lines[0] ?? "",
    /^time="[^"]+" level=info msg="listening on :5000" alpha="say \\"x\\"" count=5 list="\[1\]" path=\/a\/b@c\+d\^e-f_g\.h service=registry zeta="a b"\n$/,
  );
  assert.match(lines[0] ?? "", new RegExp(`time="${TIME.source.slice(1, -1)}"`));
  assert.match(lines[1] ?? "", / level=warning msg="" service=registry\n$/);
  assert.match(lines[2] ?? "", / level=error msg=one-word service=registry\n$/);
});

test("text keeps a line a line, whatever the message holds", () => {
  const [lines, log] = open("text");
  log.info({ field: "a\nlevel=error" }, 'x\r\ntime="now"');
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.match(/[\r\n]/g)?.length, 1);
});

test("json has its keys sorted", () => {
  const [lines, log] = open("json", { service: "registry" });
  log.warn({ b: 1, a: { z: 1, y: 2 } }, "message");
  const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.deepEqual(Object.keys(line), ["a", "b", "level", "msg", "service", "time"]);
  assert.match(String(line["time"]), TIME);
  assert.deepEqual(
    { ...line, time: "" },
    { a: { z: 1, y: 2 }, b: 1, level: "warning", msg: "message", service: "registry", time: "" },
  );
});

test("logstash has its own names for time and message", () => {
  const [lines, log] = open("logstash");
  log.error({ err: new TypeError("broken") }, "message");
  const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.deepEqual(Object.keys(line), ["@timestamp", "@version", "err", "level", "message"]);
  assert.equal(line["@version"], "1");
  assert.equal(line["message"], "message");
  assert.match(JSON.stringify(line["err"]), /broken/);
});

test("less urgent lines than the level are left out", () => {
  for (const [level, count] of [
    ["error", 1],
    ["warn", 2],
    ["info", 3],
    ["debug", 4],
  ] as const) {
    const lines: string[] = [];
    const log = createLog({ level, formatter: "json", fields: {} }, (line) => lines.push(line));
    for (const method of ["error", "warn", "info", "debug"] as const) log[method]("x");
    assert.equal(lines.length, count, level);
  }
});

function open(
  formatter: LogOptions["formatter"],
  fields: LogOptions["fields"] = {},
): [readonly string[], ReturnType<typeof createLog>] {
  const lines: string[] = [];
  return [lines, createLog({ level: "info", formatter, fields }, (line) => lines.push(line))];
}
