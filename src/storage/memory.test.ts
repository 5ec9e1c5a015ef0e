import assert from "node:assert/strict";
import { test } from "node:test";
import { driverContract } from "../../test/contract/driver.ts";
import { MemoryDriver } from "./memory.ts";

driverContract("inmemory", async () => new MemoryDriver());

test("an object in memory has the time of the clock that was given", async () => {
  let now = 1000.5;
  const driver = new MemoryDriver({ now: () => now });
  await driver.putContent("/object", Buffer.from("x"));
  assert.equal((await driver.stat("/object")).modified, 1000.5);
  now = 2000;
  await driver.putContent("/object", Buffer.from("y"));
  assert.equal((await driver.stat("/object")).modified, 2000);
});
