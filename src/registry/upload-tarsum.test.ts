import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { tarEntry, tarOf } from "../../test/support/tar.ts";
import { tarsumByHand } from "../../test/support/tarsum.ts";
import { digestOf } from "../oci/digest.ts";
import { DigestInvalid } from "../oci/errors.ts";
import { parseTarsum } from "../oci/tarsum.ts";
import { verifyTarsum } from "./upload-tarsum.ts";

const TAR = tarOf([tarEntry({ name: "a" }, "abc")]);
const TARSUM = parseTarsum(tarsumByHand(TAR, "v1"));
const never = new AbortController().signal;

/** Gives the tar in two chunks, the second when it is let. */
class HeldTar {
  #state: "unread" | "open" | "closed" = "unread";
  readonly #gate = Promise.withResolvers<void>();

  get state(): string {
    return this.#state;
  }

  release(): void {
    this.#gate.resolve();
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    this.#state = "open";
    try {
      yield TAR.subarray(0, 700);
      await this.#gate.promise;
      yield TAR.subarray(700);
    } finally {
      this.#state = "closed";
    }
  }
}

/** Until whatever can go on without anybody's help has done so. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await setImmediate();
}

describe("verifying a tarsum", () => {
  it("answers the canonical digest of the same bytes", async () => {
    const tar = new HeldTar();
    tar.release();
    assert.equal(await verifyTarsum(TARSUM, tar.chunks(), { signal: never }), digestOf(TAR));
  });

  it("begins with no chunk where nobody can calculate the sum", async () => {
    const tar = new HeldTar();
    const unknown = parseTarsum(TARSUM.replace("v1", "v2"));
    await assert.rejects(verifyTarsum(unknown, tar.chunks(), { signal: never }), DigestInvalid);
    assert.equal(tar.state, "unread");
  });

  it("reads two tars at a time, and the next when one is done or has failed", async () => {
    const tars = Array.from({ length: 4 }, () => new HeldTar());
    const other = parseTarsum(tarsumByHand(tarOf([]), "v1"));
    const all = tars.map((tar, i) => verifyTarsum(i === 0 ? other : TARSUM, tar.chunks(), { signal: never }));
    const states = async (): Promise<readonly string[]> => {
      await settled();
      return tars.map(({ state }) => state);
    };
    assert.deepEqual(await states(), ["open", "open", "unread", "unread"]);
    tars[1]?.release();
    assert.deepEqual(await states(), ["open", "closed", "open", "unread"]);
    tars[0]?.release();
    await assert.rejects(all[0] as Promise<unknown>, DigestInvalid);
    assert.deepEqual(await states(), ["closed", "closed", "open", "open"]);
    for (const tar of tars) tar.release();
    assert.deepEqual(await Promise.all(all.slice(1)), Array(3).fill(digestOf(TAR)));
  });

  it("stops between chunks or while it waits, and takes nobody's place then", async () => {
    const tars = Array.from({ length: 4 }, () => new HeldTar());
    const stop = new AbortController();
    const all = Promise.allSettled(tars.map((tar) => verifyTarsum(TARSUM, tar.chunks(), { signal: stop.signal })));
    await settled();
    stop.abort(new Error("taken over"));
    for (const tar of tars) tar.release();
    const reason: unknown = stop.signal.reason;
    assert.deepEqual(await all, Array(4).fill({ status: "rejected", reason }));
    assert.deepEqual(
      tars.map(({ state }) => state),
      ["closed", "closed", "unread", "unread"],
    );
    const more = Array.from({ length: 2 }, () => new HeldTar());
    const done = more.map((tar) => verifyTarsum(TARSUM, tar.chunks(), { signal: never }));
    await settled();
    for (const tar of more) tar.release();
    assert.deepEqual(await Promise.all(done), Array(2).fill(digestOf(TAR)));
  });
});
