/**
 * `layout.ts <FOLDER> <N>`: makes what N small images leave in a registry's folder, eight images at once, and prints how many a
 * second that were. Nothing is received, hashed, looked up or answered: these are the folders, files, names and syncs that the
 * layout of the peers and an acknowledgement that survives a power cut ask for, with calls of `node:fs`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const [root = "", count] = process.argv.slice(2);
const TOGETHER = 8;
const LAYER = 4096;
const CONFIG = 600;
const MANIFEST = 500;
const run = randomBytes(4).toString("hex");

let next = 0;
const begun = performance.now();
await Promise.all(
  Array.from({ length: TOGETHER }, (_, pusher) => pushFrom(join(root, "repositories", run, String(pusher)))),
);
process.stdout.write(String((Number(count) * 1000) / (performance.now() - begun)));

async function pushFrom(repository: string): Promise<void> {
  while (next < Number(count)) {
    const tag = `v${next++}`;
    await Promise.all([CONFIG, LAYER, LAYER].map((size) => putBlob(repository, size)));
    await putManifest(repository, tag);
  }
}

async function putBlob(repository: string, size: number): Promise<void> {
  const session = join(repository, "_uploads", randomUUID());
  const digest = randomBytes(32).toString("hex");
  await write(join(session, "startedat"), 20, 0);
  const data = await write(join(session, "data"), size, 0, async (file) => await file.datasync());
  await moveDurably(data, blobOf(digest));
  await putLink(join(repository, "_layers", "sha256", digest, "link"), 2);
  await rm(session, { recursive: true });
}

async function putManifest(repository: string, tag: string): Promise<void> {
  const digest = randomBytes(32).toString("hex");
  const manifests = join(repository, "_manifests");
  await putDurably(blobOf(digest), MANIFEST, 2);
  await putLink(join(manifests, "revisions", "sha256", digest, "link"), 2);
  await putLink(join(manifests, "tags", tag, "index", "sha256", digest, "link"), 5);
  await putLink(join(manifests, "tags", tag, "current", "link"), 2);
}

function blobOf(digest: string): string {
  return join(root, "blobs", "sha256", digest.slice(0, 2), digest, "data");
}

async function putLink(path: string, above: number): Promise<void> {
  await putDurably(path, 71, above);
}

async function putDurably(path: string, size: number, above: number): Promise<void> {
  const temporary = await write(`${path}.${randomUUID()}.tmp`, size, constants.O_DSYNC);
  await rename(temporary, path);
  await sync(path, above);
}

async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await sync(to, 2);
}

async function write(
  path: string,
  size: number,
  flag: number,
  then?: (file: FileHandle) => Promise<void>,
): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | flag);
  await file.write(randomBytes(size));
  await then?.(file);
  return path;
}

/** Makes a name durable, and those of `above` folders, its own the first. */
async function sync(path: string, above: number): Promise<void> {
  const folders = [dirname(path)];
  while (folders.length < above) folders.push(dirname(folders.at(-1) ?? ""));
  await Promise.all(
    folders.map(async (folder) => {
      await using file = await open(folder, "r");
      await file.sync();
    }),
  );
}
