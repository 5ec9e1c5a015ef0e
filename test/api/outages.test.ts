import assert from "node:assert/strict";
import { test } from "node:test";
import { PathNotFound, type StorageError, StorageUnreachable } from "../../src/storage/errors.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { changing, finding } from "../../src/storage/filesystem-calls.ts";
import { guardDriver } from "../../src/storage/guarded.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import { contentsOf } from "../support/api-content.ts";
import { type DriverCall, type FailingDriver, failingDriver } from "../support/failing-driver.ts";
import { expectOutage, expectRecovery, requestsInOutage, setScene } from "../support/outage.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CALLS: readonly DriverCall[] = ["getContent", "putContent", "reader", "writer", "stat", "list", "move", "delete"];

/** What a disk, a network share or a mount point that went away says to every call. */
const CODES = ["EIO", "EACCES", "ENOTCONN", "ESTALE", "ETIMEDOUT", "EMFILE"];

for (const code of CODES) {
  test(`a file system whose calls fail with ${code} is 503 on every route, and loses nothing`, async () => {
    await using folder = await temporaryFolder("outage");
    const storage = failingDriver(await openFilesystem({ rootdirectory: folder.path }));
    await using api = await startApi(storage.driver, { faulty: true });
    const failure = await failureOf(code);
    await everyRouteFails(api, storage, () => failure);
  });
}

test("a storage that does not answer is 503 on every route before it counts as down and while it does", async () => {
  const inner = new MemoryDriver();
  const storage = failingDriver(inner);
  const { promise: back, resolve: tellBack } = Promise.withResolvers<void>();
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    if (message.endsWith("answers again")) tellBack();
  };
  await using api = await startApi(guardDriver(storage.driver, { warn, pause: 1 }), { faulty: true });
  const scene = await setScene(api);
  fail(storage, () => new StorageUnreachable("s3", "no answer at docker/registry"));
  for (const { method, target, init } of requestsInOutage(scene)) {
    expectOutage(method, await api.send(method, target, init));
  }
  const lines = api.log.filter((line) => line.includes("level=error"));
  assert.equal(lines.length, 1, "one request found out; what was refused later is told of by the warning");
  storage.mend();
  await back;
  await expectRecovery(api, scene);
  assert.equal(warnings.length, 2);
});

async function everyRouteFails(api: Api, storage: FailingDriver, failure: () => Error): Promise<void> {
  const scene = await setScene(api);
  const before = await contentsOf(api.driver);
  fail(storage, failure);
  for (const { method, target, init } of requestsInOutage(scene)) {
    expectOutage(method, await api.send(method, target, init));
  }
  storage.mend();
  assert.deepEqual(await contentsOf(api.driver), before);
  await expectRecovery(api, scene);
}

function fail(storage: FailingDriver, failure: () => Error): void {
  for (const call of CALLS) storage.fail(call, failure);
}

/** What the driver makes of it, whether it looks for something or changes it. */
async function failureOf(code: string): Promise<StorageError> {
  const raw = Object.assign(new Error(`${code}: at /var/lib/docker/`), { code, syscall: "open" });
  const work = (): Promise<never> => Promise.reject(raw);
  const [found, changed] = await Promise.all([finding("/a", work).catch(Object), changing(work).catch(Object)]);
  assert.ok(!(found instanceof PathNotFound));
  assert.deepEqual(found, changed);
  return found;
}
