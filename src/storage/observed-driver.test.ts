import assert from "node:assert/strict";
import { test } from "node:test";
import { driverContract } from "../../test/contract/driver.ts";
import { canListDetailed, canRedirect, canStage, canWriteAtomically, type StorageDriver } from "./driver.ts";
import { MemoryDriver } from "./memory.ts";
import { type AroundStorageCall, composed, observedDriver, type StorageCall } from "./observed-driver.ts";

driverContract("inmemory", async () => observedDriver(new MemoryDriver(), (_call, proceed) => proceed()));

test("every call is told with what it is about, and optional abilities stay", async () => {
  const calls: StorageCall[] = [];
  const able = Object.assign(new MemoryDriver(), {
    redirectUrl: async () => undefined,
    ...{ beginStaged: nothing, statStaged: nothing, commitStaged: nothing, listDetailed: nothing },
    ...{ atomicWriter: nothing, listUnfinished: nothing, removeUnfinished: nothing },
  }) as unknown as StorageDriver;
  const driver = observedDriver(able, (call, proceed) => {
    calls.push(call);
    return proceed();
  });
  assert.ok(canRedirect(driver) && canStage(driver) && canListDetailed(driver) && canWriteAtomically(driver));
  await driver.putContent("/a", Buffer.from("xyz"));
  await (await driver.reader("/a", 2))[Symbol.asyncDispose]();
  await driver.move("/a", "/b");
  await driver.redirectUrl("/b", { method: "GET" });
  await driver.commitStaged("/s", "/t", { size: 0, isDirectory: false });
  await driver.statStaged("/s");
  await driver.beginStaged("/s");
  await driver.listDetailed("/");
  await driver.atomicWriter("/w", "/aside");
  await driver.listUnfinished("/w");
  await driver.removeUnfinished({ path: "/w", id: "1", begun: undefined });
  assert.deepEqual(calls, [
    { action: "PutContent", path: "/a", length: 3 },
    { action: "Reader", path: "/a", offset: 2 },
    { action: "Move", path: "/a", target: "/b" },
    { action: "RedirectURL", path: "/b" },
    { action: "Move", path: "/s", target: "/t" },
    { action: "Stat", path: "/s" },
    { action: "Writer", path: "/s", append: false },
    { action: "List", path: "/" },
    { action: "Writer", path: "/w", append: false },
    { action: "List", path: "/w" },
    { action: "Delete", path: "/w" },
  ]);
});

test("the first of several is outermost", async () => {
  const order: string[] = [];
  const named =
    (name: string): AroundStorageCall =>
    async (_call, proceed) => {
      order.push(name);
      return await proceed();
    };
  await composed([named("a"), named("b")])?.({ action: "Stat", path: "/" }, async () => order.push("call"));
  assert.deepEqual(order, ["a", "b", "call"]);
  assert.equal(composed([]), undefined);
});

async function nothing(): Promise<undefined> {}
