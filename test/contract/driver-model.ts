import assert from "node:assert/strict";
import fc from "fast-check";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { PathNotFound } from "../../src/storage/errors.ts";
import { type Check, content, empty, readAll } from "./driver-harness.ts";

/** What a driver is: bytes by path. No path is also a folder. */
type Model = Map<string, Buffer>;

/** One call on both, which must come to the same. */
type Step = (model: Model, driver: StorageDriver) => Promise<void>;

const FILES = ["/a", "/ab", "/d/a", "/d/b", "/d/e/a", "/d/e/a.b", "/D/x"];
const FOLDERS = ["/", "/d", "/d/e", "/D", "/none"];

export function checkModel(check: Check): void {
  check("any sequence of calls comes to the same as on a plain map", async (driver) => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf(), { minLength: 1, maxLength: 30 }), async (steps) => {
        await empty(driver);
        const model: Model = new Map();
        for (const step of steps) await step(model, driver);
        for (const path of FILES) await compareGet(path)(model, driver);
      }),
      { numRuns: 60 },
    );
  });
}

function stepOf(): fc.Arbitrary<Step> {
  const file = fc.constantFrom(...FILES);
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const sessions = fc.array(fc.array(bytes, { maxLength: 3 }), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc.tuple(file, bytes, fc.boolean()).map(([path, content, durable]) => put(path, content, durable)),
    fc.tuple(file, sessions).map(([path, parts]) => upload(path, parts)),
    fc.tuple(file, file).map(([source, target]) => move(source, target)),
    fc.constantFrom(...FILES, ...FOLDERS.slice(1)).map(remove),
    file.map(compareGet),
    fc.tuple(file, fc.nat({ max: 60 })).map(([path, offset]) => compareRead(path, offset)),
    file.map(compareStat),
    fc.constantFrom(...FOLDERS).map(compareList),
  );
}

/** `toString` is what fast-check prints of a step. */
function named(name: string, step: Step): Step {
  return Object.assign(step, { toString: () => name });
}

function put(path: string, bytes: Buffer, durable: boolean): Step {
  return named(`put ${path} ${bytes.toString("hex")}`, async (model, driver) => {
    await driver.putContent(path, bytes, { durable });
    model.set(path, bytes);
  });
}

/** Sessions of writers, the last of which commits. */
function upload(path: string, sessions: readonly (readonly Buffer[])[]): Step {
  return named(`upload ${path} ${JSON.stringify(sessions)}`, async (model, driver) => {
    for (const [index, chunks] of sessions.entries()) {
      await using writer = await driver.writer(path, { append: index > 0 });
      for (const chunk of chunks) await writer.write(chunk);
      if (index === sessions.length - 1) await writer.commit();
      else await writer.close();
    }
    model.set(path, Buffer.concat(sessions.flat()));
  });
}

function move(source: string, target: string): Step {
  return named(`move ${source} ${target}`, async (model, driver) => {
    const bytes = model.get(source);
    assert.equal(await isDone(driver.move(source, target)), bytes !== undefined);
    if (bytes === undefined) return;
    model.delete(source);
    model.set(target, bytes);
  });
}

function remove(path: string): Step {
  return named(`delete ${path}`, async (model, driver) => {
    const gone = [...model.keys()].filter((file) => file === path || file.startsWith(`${path}/`));
    const done = await isDone(driver.delete(path));
    // A folder that lost its last object may be there, or not.
    if (FILES.includes(path) || gone.length > 0) assert.equal(done, gone.length > 0);
    for (const file of gone) model.delete(file);
  });
}

function compareGet(path: string): Step {
  return named(`get ${path}`, async (model, driver) => {
    assert.deepEqual(await orNothing(content(driver, path)), model.get(path));
  });
}

function compareRead(path: string, offset: number): Step {
  return named(`read ${path} ${offset}`, async (model, driver) => {
    assert.deepEqual(await orNothing(readAll(driver, path, offset)), model.get(path)?.subarray(offset));
  });
}

function compareStat(path: string): Step {
  return named(`stat ${path}`, async (model, driver) => {
    assert.equal((await orNothing(driver.stat(path)))?.size, model.get(path)?.length);
  });
}

/** Without folders that hold nothing. */
function compareList(path: string): Step {
  return named(`list ${path}`, async (model, driver) => {
    const prefix = path === "/" ? "/" : `${path}/`;
    const below = [...model.keys()].filter((file) => file.startsWith(prefix));
    const expected = new Set(below.map((file) => file.slice(prefix.length).split("/")[0]));
    const listed = (await orNothing(driver.list(path))) ?? [];
    const filled = listed.filter((name) => expected.has(name) || FILES.includes(prefix + name));
    assert.deepEqual(filled.sort(), [...expected].sort());
  });
}

async function isDone(call: Promise<void>): Promise<boolean> {
  return (await orNothing(call.then(() => true))) ?? false;
}

async function orNothing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof PathNotFound) return undefined;
    throw error;
  }
}
