import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { DigestAlgorithm } from "../oci/digest.ts";
import { createResumableHash, type ResumableHash, resumeHash } from "./hash-state.ts";

/** What Go's crypto packages print after the bytes 0 to 199: the magic, then the chaining value. */
const AFTER_200 = {
  sha256: "736861032bed68b99987cae48183b2b049d393d0050868e4e8ba3730e9112b08765929b7",
  sha384:
    "736861046f1664d213dd802f7c47bc50637cf93592570a2b8695839148bf38341c6eacd0" +
    "5326452ef1cbe64d90f1ef73bb5ac7d2803565467d0ddb10c5ee3fc050f9f0c1",
  sha512:
    "736861078e03953cd57cd6879321270afa70c5827bb5b69be59a8f0130147e94f2aedf7b" +
    "dc01c56c92343ca8bd837bb7f0208f5a23e155694516b6f147099d491a30b151",
} as const;
const BLOCK = { sha256: 64, sha384: 128, sha512: 128 } as const;
const ALGORITHMS = ["sha256", "sha384", "sha512"] as const;
const algorithm = fc.constantFrom<DigestAlgorithm>(...ALGORITHMS);

describe("resumable hashes", () => {
  it("print what both peers print after hello", async () => {
    const initial = "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19";
    const state = `73686103${initial}${Buffer.from("hello").toString("hex").padEnd(128, "0")}0000000000000005`;
    const hash = await createResumableHash("sha256");
    hash.update(Buffer.from("hello"));
    assert.equal(hex(hash.save()), state);
    const resumed = await mustResume("sha256", Buffer.from(state, "hex"));
    assert.equal(resumed.length, 5);
    assert.equal(resumed.digest(), createHash("sha256").update("hello").digest("hex"));
  });

  for (const name of ALGORITHMS) {
    it(`print and read the ${name} state of Go behind whole blocks`, async () => {
      const bytes = Uint8Array.from({ length: 200 }, (_, index) => index);
      const block = hex(bytes.subarray(200 - (200 % BLOCK[name]))).padEnd(2 * BLOCK[name], "0");
      const state = `${AFTER_200[name]}${block}${(200).toString(16).padStart(16, "0")}`;
      const hash = await createResumableHash(name);
      hash.update(bytes);
      assert.equal(hex(hash.save()), state);
      const resumed = await mustResume(name, Buffer.from(state, "hex"));
      resumed.update(bytes);
      assert.equal(resumed.digest(), createHash(name).update(bytes).update(bytes).digest("hex"));
    });
  }

  it("agree with node:crypto however the bytes are split and carried on", async () => {
    const chunk = fc.uint8Array({ maxLength: 300 });
    const step = fc.record({ chunk, carry: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(algorithm, fc.array(step, { maxLength: 8 }), async (name, steps) => {
        const reference = createHash(name);
        let hash = await createResumableHash(name);
        for (const { chunk, carry } of steps) {
          hash.update(chunk);
          reference.update(chunk);
          if (carry) hash = await mustResume(name, hash.save());
          assert.equal(hash.digest(), reference.copy().digest("hex"));
        }
        assert.equal(
          hash.length,
          steps.reduce((sum, { chunk }) => sum + chunk.length, 0),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("do not disturb each other", async () => {
    const [one, other] = [await createResumableHash("sha256"), await createResumableHash("sha256")];
    one.update(Buffer.from("one"));
    other.update(Buffer.from("other"));
    assert.equal(one.digest(), createHash("sha256").update("one").digest("hex"));
    assert.equal(other.digest(), createHash("sha256").update("other").digest("hex"));
  });

  it("count beyond 4 GiB", async () => {
    const state = Buffer.from(await stateOf("sha512", 0));
    state.writeBigUInt64BE(2n ** 40n, state.length - 8);
    const resumed = await mustResume("sha512", state);
    resumed.update(new Uint8Array(3));
    assert.equal(resumed.length, 2 ** 40 + 3);
    assert.equal(Buffer.from(resumed.save()).readBigUInt64BE(state.length - 8), 2n ** 40n + 3n);
  });

  it("keep the state they were given, whatever happens to its buffer", async () => {
    const state = await stateOf("sha256", 70);
    const before = hex(state);
    const resuming = resumeHash("sha256", state);
    state.fill(0);
    assert.equal(hex((await resuming)?.save() ?? state), before);
  });
});

describe("a state is not taken", () => {
  it("of another length", async () => {
    const state = await stateOf("sha256", 70);
    for (const wrong of [new Uint8Array(), state.subarray(1), Buffer.concat([state, new Uint8Array(1)])]) {
      assert.equal(await resumeHash("sha256", wrong), undefined);
    }
  });

  it("of another algorithm", async () => {
    for (const name of ALGORITHMS) {
      for (const other of ALGORITHMS.filter((candidate) => candidate !== name)) {
        assert.equal(await resumeHash(name, await stateOf(other, 70)), undefined);
      }
    }
  });

  it("that counts more bytes than a number can tell", async () => {
    const state = Buffer.from(await stateOf("sha256", 64));
    state.writeBigUInt64BE(2n ** 60n, state.length - 8);
    assert.equal(await resumeHash("sha256", state), undefined);
  });

  it("that holds bytes behind those its length allows", async () => {
    await fc.assert(
      fc.asyncProperty(algorithm, fc.integer({ min: 1, max: 400 }), async (name, length) => {
        fc.pre(length % BLOCK[name] !== 0);
        const state = Buffer.from(await stateOf(name, length));
        state.writeBigUInt64BE(BigInt(length - (length % BLOCK[name])), state.length - 8);
        assert.equal(await resumeHash(name, state), undefined);
      }),
      { numRuns: 50 },
    );
  });
});

async function mustResume(name: DigestAlgorithm, state: Uint8Array): Promise<ResumableHash> {
  const hash = await resumeHash(name, state);
  assert.ok(hash);
  return hash;
}

async function stateOf(name: DigestAlgorithm, length: number): Promise<Uint8Array> {
  const hash = await createResumableHash(name);
  hash.update(new Uint8Array(length).fill(1));
  return hash.save();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
