import assert from "node:assert/strict";
import { test } from "node:test";
import { FolderSyncs } from "./folder-syncs.ts";

/** Syncs that end when the test says so. */
class Gate {
  readonly begun: string[] = [];
  readonly #ends: PromiseWithResolvers<void>[] = [];

  sync(folder: string): Promise<void> {
    this.begun.push(folder);
    const end = Promise.withResolvers<void>();
    this.#ends.push(end);
    return end.promise;
  }

  async end(index: number, error?: Error): Promise<void> {
    if (error) this.#ends[index]?.reject(error);
    else this.#ends[index]?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("all who come while a folder is synced share the next sync, which begins after the one that runs", async () => {
  const gate = new Gate();
  const syncs = new FolderSyncs((folder) => gate.sync(folder));
  const ended: string[] = [];
  const note = (name: string): Promise<void> => syncs.sync("/a").then(() => void ended.push(name));
  const all = [note("first"), note("second"), note("third")];
  assert.deepEqual(gate.begun, ["/a"]);
  await gate.end(0);
  assert.deepEqual(ended, ["first"]);
  assert.deepEqual(gate.begun, ["/a", "/a"]);
  all.push(note("fourth")); // the one that runs may have begun before its change
  await gate.end(1);
  assert.deepEqual(ended, ["first", "second", "third"]);
  await gate.end(2);
  await Promise.all(all);
  assert.deepEqual(gate.begun, ["/a", "/a", "/a"]);
});

test("a sync that fails fails for all who share it, and for nobody else", async () => {
  const gate = new Gate();
  const syncs = new FolderSyncs((folder) => gate.sync(folder));
  const outcomes = ["first", "second", "third"].map(() =>
    syncs.sync("/a").then(
      () => "synced",
      (error: Error) => error.message,
    ),
  );
  await gate.end(0);
  await gate.end(1, new Error("EIO"));
  assert.deepEqual(await Promise.all(outcomes), ["synced", "EIO", "EIO"]);
  const later = syncs.sync("/a");
  await gate.end(2);
  await later;
});

test("who waited for a sync that failed is synced all the same", async () => {
  const gate = new Gate();
  const syncs = new FolderSyncs((folder) => gate.sync(folder));
  const [first, second] = [syncs.sync("/a"), syncs.sync("/a")];
  first.catch(() => undefined);
  await gate.end(0, new Error("EIO"));
  await assert.rejects(first, /EIO/);
  await gate.end(1);
  await second;
});

test("folders do not wait for each other", async () => {
  const gate = new Gate();
  const syncs = new FolderSyncs((folder) => gate.sync(folder));
  const both = [syncs.sync("/a"), syncs.sync("/b")];
  assert.deepEqual(gate.begun, ["/a", "/b"]);
  await gate.end(0);
  await gate.end(1);
  await Promise.all(both);
});
