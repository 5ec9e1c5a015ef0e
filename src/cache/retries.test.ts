import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { RefusedCommand } from "./redis-connection.ts";
import { type Retries, repeated } from "./retries.ts";

const RULES: Retries = { most: 3, first: 8, longest: 20 };

/** Attempts that fail in these ways and then succeed, with the waits between them. */
function run(
  t: TestContext,
  failures: readonly Error[],
  rules: Retries = RULES,
  signal = new AbortController().signal,
) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let made = 0;
  const result = repeated(
    async () => {
      const failure = failures[made++];
      if (failure) throw failure;
      return "done";
    },
    rules,
    signal,
  );
  const pass = async (ms: number): Promise<number> => {
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
    return made;
  };
  return { result, pass };
}

const lost = (): Error => new Error("connection lost");

describe("a command that fails", () => {
  it("is tried again after waits that double up to the longest", async (t) => {
    const { result, pass } = run(t, [lost(), lost(), lost()]);
    assert.deepEqual([await pass(0), await pass(7), await pass(1)], [1, 1, 2]);
    assert.deepEqual([await pass(15), await pass(1)], [2, 3]);
    assert.deepEqual([await pass(19), await pass(1)], [3, 4]);
    assert.equal(await result, "done");
  });

  it("fails for good after so many attempts", async (t) => {
    const { result, pass } = run(t, [lost(), lost(), lost()], { ...RULES, most: 2 });
    const failed = assert.rejects(result, /connection lost/);
    for (let i = 0; i < 3; i++) await pass(20);
    await failed;
    assert.equal(await pass(100), 3);
  });

  it("lets others have their turn where no wait is asked for", async (t) => {
    const { result, pass } = run(t, [lost()], { ...RULES, first: 0 });
    assert.deepEqual([await pass(0), await pass(1)], [1, 2]);
    assert.equal(await result, "done");
  });

  it("is not tried again once nobody waits for it", async (t) => {
    const end = new AbortController();
    const { result, pass } = run(t, [lost()], RULES, end.signal);
    assert.equal(await pass(0), 1);
    const failed = assert.rejects(result, /connection lost/);
    end.abort();
    await failed;
    assert.equal(await pass(100), 1);
  });

  it("is tried again where the server says that it passes, and only then", async (t) => {
    const loading = run(t, [new RefusedCommand("LOADING Redis is loading the dataset in memory")]);
    assert.deepEqual([await loading.pass(0), await loading.pass(8)], [1, 2]);
    assert.equal(await loading.result, "done");
    t.mock.timers.reset();
    const { result, pass } = run(t, [new RefusedCommand("NOAUTH Authentication required.")]);
    await assert.rejects(result, /NOAUTH/);
    assert.equal(await pass(100), 1);
  });
});
