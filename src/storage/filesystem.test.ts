import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { driverContract } from "../../test/contract/driver.ts";
import { Directories } from "./durable.ts";
import { PathNotFound, StorageError, StorageFull, WriteConflict } from "./errors.ts";
import { FilesystemDriver, openFilesystem } from "./filesystem.ts";
import { FolderSyncs } from "./folder-syncs.ts";

driverContract("filesystem", (t) => openFilesystem({ rootdirectory: folder(t) }));

test("a root that cannot be made is reported in one sentence", async (t) => {
  const file = join(folder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(openFilesystem({ rootdirectory: join(file, "root") }), {
    name: "StorageError",
    message: `filesystem: cannot use the root directory ${file}/root: not a directory (ENOTDIR)`,
  });
  await assert.rejects(openFilesystem({ rootdirectory: file }), {
    message: `filesystem: cannot use the root directory ${file}: not a directory (ENOTDIR)`,
  });
  await assert.rejects(openFilesystem({ rootdirectory: "/proc/wharfinger/root" }), { name: "StorageError" });
});

test("a root is made with the folders above it, and told as the location", async (t) => {
  const root = join(folder(t), "var", "lib", "registry");
  const driver = await openFilesystem({ rootdirectory: `${root}/` });
  assert.equal(driver.location, root);
  assert.deepEqual(await driver.list("/"), []);
});

test("files and folders get the modes that the umask leaves", async (t) => {
  const root = folder(t);
  const driver = await openFilesystem({ rootdirectory: root });
  const before = process.umask(0o027);
  t.after(() => process.umask(before));
  await driver.putContent("/folder/put", Buffer.from("x"));
  await (await driver.writer("/folder/written", { append: false })).close();
  assert.equal(statSync(join(root, "folder")).mode & 0o777, 0o750);
  assert.equal(statSync(join(root, "folder/put")).mode & 0o777, 0o640);
  assert.equal(statSync(join(root, "folder/written")).mode & 0o777, 0o640);
});

test("what a crash left of a put is no object, and goes with its folder", async (t) => {
  const root = folder(t);
  const driver = await openFilesystem({ rootdirectory: root });
  await driver.putContent("/folder/link", Buffer.from("old"));
  writeFileSync(join(root, `folder/link.${randomUUID()}.tmp`), "half");
  assert.deepEqual(await driver.list("/folder"), ["link"]);
  await driver.putContent("/folder/link", Buffer.from("new"));
  assert.equal(Buffer.from(await driver.getContent("/folder/link")).toString(), "new");
  await driver.delete("/folder");
  assert.deepEqual(readdirSync(root), []);
});

test("a folder with the name of a temporary file is listed", async (t) => {
  const driver = await openFilesystem({ rootdirectory: folder(t) });
  const tag = `v1.${randomUUID()}.tmp`;
  await driver.putContent(`/tags/${tag}/current/link`, Buffer.from("x"));
  assert.deepEqual(await driver.list("/tags"), [tag]);
});

test("a put that fails leaves no temporary file", async (t) => {
  const root = folder(t);
  const driver = await openFilesystem({ rootdirectory: root });
  await driver.putContent("/folder/sub/object", Buffer.from("x"));
  await assert.rejects(driver.putContent("/folder/sub", Buffer.from("y")), StorageError);
  assert.deepEqual(readdirSync(join(root, "folder")), ["sub"]);
});

test("a name of 255 bytes can be put, a longer one never exists", async (t) => {
  const driver = await openFilesystem({ rootdirectory: folder(t) });
  const [longest, longer] = [`/${"n".repeat(255)}`, `/${"n".repeat(256)}`];
  await driver.putContent(longest, Buffer.from("x"));
  assert.equal((await driver.stat(longest)).size, 1);
  await assert.rejects(driver.stat(longer), PathNotFound);
  await assert.rejects(driver.delete(longer), PathNotFound);
  await assert.rejects(
    driver.putContent(longer, Buffer.from("x")),
    /^StorageError: filesystem: rename failed: ENAMETOOLONG$/,
  );
});

test("two drivers on one root notice each other's writers", async (t) => {
  const root = folder(t);
  const [ours, theirs] = [await openFilesystem({ rootdirectory: root }), await openFilesystem({ rootdirectory: root })];
  await using first = await ours.writer("/upload", { append: true });
  await using second = await theirs.writer("/upload", { append: true });
  await second.write(Buffer.alloc(300_000, "b"));
  await second.commit();
  await theirs.move("/upload", "/blob");
  await assert.rejects(first.write(Buffer.alloc(300_000, "a")), WriteConflict);
  await first.close();
  assert.equal((await ours.stat("/blob")).size, 300_000);
});

test("no descriptor stays open, however readers and writers end", { skip: withoutProc() }, async (t) => {
  const driver = await openFilesystem({ rootdirectory: folder(t) });
  await driver.putContent("/object", Buffer.alloc(1_000_000));
  const before = descriptors();
  for (const end of ["close", "commit", "cancel", undefined] as const) {
    await using writer = await driver.writer("/written", { append: false });
    await writer.write(Buffer.from("x"));
    if (end !== undefined) await writer[end]();
  }
  const reader = await driver.reader("/object");
  const reading = reader.read(new Uint8Array(1_000_000));
  await Promise.all([reader[Symbol.asyncDispose](), reader[Symbol.asyncDispose](), reading]);
  await assert.rejects(driver.reader("/"), StorageError);
  await driver.putContent("/folder/object", Buffer.from("x"));
  await assert.rejects(driver.reader("/folder"), PathNotFound);
  assert.equal(descriptors(), before);
});

test("a full disk is told apart, and with room again everything works", async (t) => {
  const root = smallDisk(t);
  if (root === undefined) return t.skip("only where a tmpfs can be mounted");
  const driver = await openFilesystem({ rootdirectory: root });
  await driver.putContent("/filler", Buffer.alloc(600 * 1024));
  await assert.rejects(driver.putContent("/folder/object", Buffer.alloc(600 * 1024)), StorageFull);
  assert.deepEqual(readdirSync(join(root, "folder")), []);
  await overfill(driver);
  await driver.delete("/filler");
  await driver.putContent("/folder/object", Buffer.alloc(100 * 1024));
  await using writer = await driver.writer("/upload", { append: true });
  await writer.write(Buffer.alloc(100 * 1024, "b"));
  await writer.commit();
  const bytes = Buffer.from(await driver.getContent("/upload"));
  assert.equal(bytes.subarray(-100 * 1024).toString(), "b".repeat(100 * 1024));
});

/** Writes until the disk is full; the writer must know what stayed. */
async function overfill(driver: FilesystemDriver): Promise<void> {
  await using writer = await driver.writer("/upload", { append: false });
  const writeOn = async (): Promise<void> => {
    for (let count = 0; count < 100; count++) await writer.write(Buffer.alloc(30 * 1024, "a"));
  };
  await assert.rejects(writeOn(), StorageFull);
  await assert.rejects(writer.write(Buffer.from("x")), StorageFull);
  await assert.rejects(writer.commit(), StorageFull);
  await writer.close();
  const { size } = await driver.stat("/upload");
  assert.equal(writer.size, size);
  assert.ok(size > 0);
}

test("bytes are on the disk before their name, and every new folder before the answer", async (t) => {
  const calls = traced(t, [
    'await driver.putContent("/a/b/object", Buffer.from("x"));',
    'await driver.putContent("/fleeting/c/object", Buffer.from("x"), { durable: false });',
    'await driver.putContent("/fleeting/c/kept", Buffer.from("x"));',
    'const writer = await driver.writer("/up/load", { append: false });',
    'await writer.write(Buffer.from("x"));',
    "await writer.commit();",
    'await driver.move("/up/load", "/blobs/d/data");',
    'await driver.delete("/a");',
    'const later = await driver.writer("/up/later", { append: false });',
    'await later.write(Buffer.from("x"));',
    "await later.close({ durable: false });",
    "await later.settled;",
  ]);
  if (calls === undefined) return t.skip("only where strace can be run");
  const delayed = calls.splice(10); // it begins with the closing, and ends before what tells of it
  assert.deepEqual(calls, [
    ["dsync /a/b/object.tmp", "rename /a/b/object", "fsync /", "fsync /a", "fsync /a/b"],
    ["rename /fleeting/c/object"],
    ["dsync /fleeting/c/kept.tmp", "rename /fleeting/c/kept", "fsync /", "fsync /fleeting", "fsync /fleeting/c"],
    [],
    [],
    ["fsync /up/load", "fsync /", "fsync /up"],
    ["rename /blobs/d/data", "fsync /", "fsync /blobs", "fsync /blobs/d"],
    ["fsync /"],
    [],
    [],
  ]);
  assert.deepEqual(delayed.flat(), ["fsync /up/later"]);
});

test("a folder that cannot be synced fails all that wait for it, and what comes later is synced anew", async (t) => {
  const root = folder(t);
  const synced = Promise.withResolvers<void>();
  let isBroken = true;
  const syncs = new FolderSyncs(async () => {
    await synced.promise;
    if (isBroken) throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO", syscall: "fsync" });
  });
  const driver = new FilesystemDriver(root, new Directories(syncs));
  const puts = [1, 2, 3].map((number) => driver.putContent(`/folder/${number}`, Buffer.from("x")));
  synced.resolve();
  const failed = { name: "StorageError", message: "filesystem: fsync failed: EIO" };
  await Promise.all(puts.map((put) => assert.rejects(put, failed)));
  isBroken = false;
  await driver.putContent("/folder/4", Buffer.from("x"));
});

/**
 * Runs each statement on a `driver` under strace.
 * @returns what each synced and renamed, below the root; what is synced after the rename is in no order, so it is sorted
 */
function traced(t: TestContext, statements: readonly string[]): string[][] | undefined {
  if (process.platform !== "linux") return undefined;
  const [root, log] = [folder(t), join(folder(t), "trace")];
  const marked = statements.map((line) => `${line} existsSync("/.");`);
  const script = `import { existsSync } from "node:fs";
    const { openFilesystem } = await import(${JSON.stringify(new URL("./filesystem.ts", import.meta.url).href)});
    const driver = await openFilesystem({ rootdirectory: ${JSON.stringify(root)} });
    existsSync("/."); ${marked.join("\n")}`;
  const trace = [
    "-f",
    "-y",
    "-z",
    "-s",
    "4096",
    "-e",
    "trace=openat,fsync,rename,renameat,renameat2,access,faccessat,faccessat2",
  ];
  try {
    execFileSync("strace", [...trace, "-o", log, process.execPath, "--input-type=module", "-e", script], {
      stdio: "pipe",
    });
  } catch {
    return undefined;
  }
  return groupsOf(readFileSync(log, "utf8"), root);
}

function groupsOf(trace: string, root: string): string[][] {
  const groups: string[][] = [[]];
  for (const line of trace.split("\n")) {
    if (line.includes('"/."')) groups.push([]);
    const call = callOf(line, root);
    if (call !== undefined) groups.at(-1)?.push(call);
  }
  return groups.slice(1, -1).map(sortedEnd);
}

function callOf(line: string, root: string): string | undefined {
  const opened = /\bopenat\(.*"([^"]*)", [^,]*O_D?SYNC/.exec(line)?.[1];
  if (opened !== undefined) return `dsync ${below(opened, root)}`;
  const synced = /\bfsync\(\d+<([^>]*)>/.exec(line)?.[1];
  if (synced !== undefined) return `fsync ${below(synced, root)}`;
  const renamed = /\brename(?:at2?)?\(.*"([^"]*)"/.exec(line)?.[1];
  return renamed === undefined ? undefined : `rename ${below(renamed, root)}`;
}

function below(path: string, root: string): string {
  return (path.slice(root.length) || "/").replace(/\.[0-9a-f-]{36}\.tmp$/, ".tmp");
}

/** Leaves the calls up to the rename, or the first, as they are. */
function sortedEnd(calls: string[]): string[] {
  const renamed = calls.findIndex((call) => call.startsWith("rename"));
  const start = renamed < 0 ? Math.min(1, calls.length) : renamed + 1;
  return [...calls.slice(0, start), ...calls.slice(start).sort()];
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "wharfinger-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** 1 MiB. */
function smallDisk(t: TestContext): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "wharfinger-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", basename(path), path], { stdio: "pipe" });
  } catch {
    rmdirSync(path);
    return undefined;
  }
  t.after(() => {
    execFileSync("umount", [path]);
    rmdirSync(path);
  });
  return join(path, "root");
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

function withoutProc(): string | false {
  return existsSync("/proc/self/fd") ? false : "only where the system lists descriptors";
}
