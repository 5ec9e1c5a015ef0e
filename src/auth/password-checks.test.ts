import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TooManyRequests, Unavailable } from "../oci/errors.ts";
import { BcryptWorkers } from "./password-checks.ts";

/** From Openwall's test vectors. */
const VECTORS = [
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
] as const;

describe("bcrypt in threads", () => {
  test("matches what it should, whatever the letter of the version", async () => {
    await using checks = new BcryptWorkers({ workers: 2 });
    for (const [text, hash] of VECTORS) {
      const password = Buffer.from(text);
      for (const version of ["2a", "2b", "2x", "2y"]) {
        assert.equal(await checks.matches({ client: "", password, hash: hash.replace("2a", version) }), true);
      }
      assert.equal(await checks.matches({ client: "", password: Buffer.from("U*V"), hash }), false);
    }
  });

  test("refuses what is beyond those that may wait, and goes on", async () => {
    await using checks = new BcryptWorkers({ workers: 1, waiting: 2 });
    const [[text, hash]] = VECTORS;
    const ask = (): Promise<boolean> => checks.matches({ client: "", password: Buffer.from(text), hash });
    const asked = await Promise.allSettled([ask(), ask(), ask(), ask(), ask()]);
    assert.deepEqual(
      asked.map((one) => (one.status === "fulfilled" ? one.value : one.reason instanceof TooManyRequests)),
      [true, true, true, true, true],
    );
    assert.deepEqual(
      asked.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
    );
    assert.equal(await ask(), true);
  });

  test("bcrypt DoS: one client's flood costs another client no place, and no more than a turn", async () => {
    await using checks = new BcryptWorkers({ workers: 1, waiting: 4 });
    const [[, hash]] = VECTORS;
    const ended: string[] = [];
    const ask = async (client: string): Promise<void> => {
      try {
        await checks.matches({ password: Buffer.from("wrong"), hash, client });
        ended.push(client);
      } catch (error) {
        assert.ok(error instanceof TooManyRequests);
        ended.push(`${client} refused`);
      }
    };
    const flood = Array.from({ length: 10 }, () => ask("flood"));
    await Promise.all([...flood, ask("other")]);
    assert.deepEqual(
      ended.filter((who) => !who.endsWith("refused")),
      ["flood", "flood", "other", "flood", "flood"],
    );
    assert.equal(ended.filter((who) => who === "flood refused").length, 6);
  });

  test("a thread that dies fails its own comparison alone", async () => {
    await using checks = new BcryptWorkers({ workers: 1 });
    const [[text, hash]] = VECTORS;
    const password = Buffer.from(text);
    const [broken, whole] = await Promise.allSettled([
      checks.matches({ client: "", password, hash: "no hash" }),
      checks.matches({ client: "", password, hash }),
    ]);
    assert.equal(broken.status, "rejected");
    assert.deepEqual(whole, { status: "fulfilled", value: true });
  });

  test("disposal ends what runs and what waits", async () => {
    const checks = new BcryptWorkers({ workers: 1 });
    const hash = VECTORS[0][1].replace("$05", "$14");
    const asked = [1, 2].map(() => checks.matches({ client: "", password: Buffer.from("x"), hash }));
    const settled = Promise.allSettled(asked);
    await checks[Symbol.asyncDispose]();
    for (const { status } of await settled) assert.equal(status, "rejected");
    await assert.rejects(checks.matches({ client: "", password: Buffer.from("x"), hash }), Unavailable);
  });
});
