import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const SOURCE = new URL("line-writer.ts", import.meta.url).href;

test("disposal writes every line that was not written yet, in order", async () => {
  const child = start(`
    await using lines = writeLines();
    for (let i = 0; i < 5000; i++) lines.write(i + "\\n");`);
  const parts: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (part: string) => parts.push(part));
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  assert.equal(parts.join(""), Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(""));
});

test("lines come without disposal too, as soon as the delay is over", async () => {
  const child = start(`
    const lines = writeLines(1);
    lines.write("a line\\n");
    process.stdin.resume();`);
  const [part] = await once(child.stdout.setEncoding("utf8"), "data");
  assert.equal(part, "a line\n");
  child.stdin.end();
  child.kill();
  await once(child, "close");
});

test("a stdout that nobody reads any more does not end the program", async () => {
  const child = start(`
    process.stdin.resume();
    await new Promise((resolve) => process.stdin.once("end", resolve));
    const lines = writeLines(1);
    for (let i = 0; i < 5000; i++) lines.write("a line\\n");
    await lines[Symbol.asyncDispose]();
    process.stderr.write("still here");`);
  child.stdout.destroy();
  const parts: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (part: string) => parts.push(part));
  child.stdin.end();
  const [code] = await once(child, "close");
  assert.match(parts.join(""), /still here$/);
  assert.equal(code, 0);
});

test("a stdout that is a full pipe nobody reads does not keep the program from ending", async () => {
  const child = start(`
    const lines = writeLines(1);
    for (let i = 0; i < 100_000; i++) lines.write("a line of thirty-two characters\\n");
    process.stderr.write("written");
    await lines[Symbol.asyncDispose]();
    process.exit(7);`);
  const deadline = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await once(child.stderr, "data");
  const [code] = await once(child, "exit");
  clearTimeout(deadline);
  assert.equal(code, 7);
  child.stdout.destroy();
});

test("lines that wait for a stdout nobody reads are bounded, and those that were taken come once it is read", async () => {
  const child = start(`
    process.stdin.resume();
    const lines = writeLines(1);
    for (let i = 0; i < 400_000; i++) lines.write("a line of thirty-two characters\\n");
    process.stderr.write("written");
    await new Promise((resolve) => process.stdin.once("end", resolve));
    await lines[Symbol.asyncDispose]();`);
  await once(child.stderr, "data");
  let length = 0;
  child.stdout.on("data", (part: Buffer) => {
    length += part.length;
  });
  child.stdin.end();
  await once(child, "close");
  assert.equal(length % 32, 0);
  assert.ok(length > 4 * 1024 * 1024 && length < 6 * 1024 * 1024, `${length} bytes`);
});

function start(program: string): ReturnType<typeof spawnPiped> {
  return spawnPiped(`import { writeLines } from ${JSON.stringify(SOURCE)};${program}`);
}

function spawnPiped(source: string) {
  return spawn(process.execPath, ["--input-type=module", "--eval", source], { stdio: ["pipe", "pipe", "pipe"] });
}
