import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SLOT_COUNT, SLOT_SIZE } from "./hash-messages.ts";
import { createResumableHash } from "./hash-state.ts";
import type { Hashing } from "./hashing.ts";
import { LocalHashing } from "./local-hashing.ts";
import { openHashing } from "./open-hashing.ts";
import type { RestingHash, RunningHash } from "./running-hash.ts";
import { ThreadHashing } from "./thread-hashing.ts";

const ALGORITHMS = ["sha256", "sha384", "sha512"] as const;
/** More than there is room for on the way to a thread. */
const LONG = Buffer.alloc(SLOT_COUNT * SLOT_SIZE * 2 + 12_345, "wharf");

const KINDS: Readonly<Record<string, () => Hashing>> = {
  "of the caller's thread": () => new LocalHashing(),
  "of a thread of its own": () => new ThreadHashing(assert.fail),
};

for (const [kind, open] of Object.entries(KINDS)) {
  describe(`hashing ${kind}`, () => {
    it("gives what OpenSSL gives, and a state to go on from in another place", async () => {
      await using hashing = open();
      await using elsewhere = open();
      const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...ALGORITHMS), chunks, chunks, async (algorithm, first, second) => {
          const { state, hex } = await restOf(hashing.start(algorithm), first);
          assert.equal(hex, hexOf(algorithm, first));
          const origin = { state: bytesOf(state), fromStorage: true };
          const resting = await restOf(elsewhere.start(algorithm, origin), second);
          assert.equal(resting.hex, hexOf(algorithm, [...first, ...second]));
          assert.equal(resting.fromStorage, true);
        }),
        { numRuns: 30 },
      );
    });

    it("goes on from where a hash rests, as often as it is asked to", async () => {
      await using hashing = open();
      const resting = await restOf(hashing.start("sha256"), [Buffer.from("a")]);
      for (const next of ["b", "c"]) {
        const { hex, fromStorage } = await restOf(goOn(resting), [Buffer.from(next)]);
        assert.equal(hex, hexOf("sha256", [Buffer.from(`a${next}`)]));
        assert.equal(fromStorage, false);
      }
    });

    it("takes chunks of any length, of many hashes at once, and of memory that changes afterwards", async () => {
      await using hashing = open();
      const all = Array.from({ length: 6 }, async (_, index) => {
        const chunk = Buffer.from(LONG).fill(index, 0, 1000);
        const hash = hashing.start("sha512");
        const expected = hexOf("sha512", [chunk, chunk.subarray(5)]);
        await hash.update(chunk);
        await hash.update(chunk.subarray(5));
        chunk.fill(0);
        assert.equal((await hash.rest())?.hex, expected);
      });
      await Promise.all(all);
    });

    it("loses a hash that begins with no state of its algorithm, and no other", async () => {
      await using hashing = open();
      const state = (await createResumableHash("sha256")).save();
      const lost = hashing.start("sha512", { state, fromStorage: true });
      const other = hashing.start("sha256", { state, fromStorage: true });
      await lost.update(LONG);
      assert.equal(await lost.rest(), undefined);
      assert.equal((await restOf(other, [LONG])).hex, hexOf("sha256", [LONG]));
    });

    it("forgets a hash without harm to others, whether it was resting or not", async () => {
      await using hashing = open();
      const kept = hashing.start("sha256");
      {
        using forgotten = hashing.start("sha256");
        await forgotten.update(LONG);
        using rested = hashing.start("sha256");
        await rested.rest();
      }
      assert.equal((await restOf(kept, [LONG])).hex, hexOf("sha256", [LONG]));
    });
  });
}

describe("hashing of a thread of its own", () => {
  it("keeps who sends more than the thread takes waiting, however much it is", async () => {
    await using hashing = new ThreadHashing(assert.fail, script("if (kind === 'end') process.exit()"));
    const hash = hashing.start("sha256");
    for (let slot = 0; slot < SLOT_COUNT; slot++) assert.equal(hash.update(LONG.subarray(0, 10)), undefined);
    assert.ok(hash.update(LONG.subarray(0, 10)) instanceof Promise);
  });

  it("loses its hashes where the thread breaks, and begins another one", async () => {
    const reasons: string[] = [];
    await using hashing = new ThreadHashing(
      (reason) => reasons.push(reason),
      script("if (kind === 'update') throw new Error('broken')"),
    );
    for (let round = 0; round < 2; round++) {
      const hash = hashing.start("sha256");
      await hash.update(LONG);
      assert.equal(await hash.rest(), undefined);
    }
    assert.deepEqual(reasons, ["Error: broken", "Error: broken"]);
  });

  it("loses what runs at its end and what begins after it", async () => {
    const hashing = new ThreadHashing(assert.fail);
    const [hash, other] = [hashing.start("sha256"), hashing.start("sha256")];
    const resting = other.rest();
    await hashing[Symbol.asyncDispose]();
    for (const one of [hash, hashing.start("sha256")]) {
      await one.update(LONG);
      assert.equal(await one.rest(), undefined);
    }
    assert.equal((await resting)?.hex, hexOf("sha256", []));
  });

  it("is what a machine with a second processor gets", async () => {
    assert.ok(openHashing(assert.fail, 1) instanceof LocalHashing);
    assert.ok(openHashing(assert.fail, 2) instanceof ThreadHashing);
  });
});

/** A thread that runs `text` for each order. */
function script(text: string): URL {
  const body = `parentPort.on("message", ({ kind }) => { ${text} });`;
  return new URL(`data:text/javascript,import { parentPort } from "node:worker_threads"; ${body}`);
}

async function restOf(hash: ReturnType<Hashing["start"]>, chunks: readonly Uint8Array[]): Promise<RestingHash> {
  for (const chunk of chunks) await hash.update(chunk);
  const resting = await hash.rest();
  assert.ok(resting);
  return resting;
}

function goOn(hash: RestingHash): RunningHash {
  assert.ok(hash.goOn);
  return hash.goOn();
}

function bytesOf(state: Uint8Array | undefined): Uint8Array {
  assert.ok(state);
  return state;
}

function hexOf(algorithm: string, chunks: readonly Uint8Array[]): string {
  return createHash(algorithm).update(Buffer.concat(chunks)).digest("hex");
}
