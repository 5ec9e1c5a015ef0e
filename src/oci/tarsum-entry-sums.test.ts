import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { tarEntry, tarOf } from "../../test/support/tar.ts";
import { tarsumByHand } from "../../test/support/tarsum.ts";
import { atOnce, TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import { DigestInvalid } from "./errors.ts";
import { EntrySums } from "./tarsum-entry-sums.ts";
import { TarsumKeys } from "./tarsum-keys.ts";
import { orderOf } from "./tarsum-order.ts";

type Entry = readonly [name: string, firstByte: number];

/** A sum of 32 bytes that begins with this one. */
function sumOf(firstByte: number): Buffer {
  return Buffer.alloc(32, 1).fill(firstByte, 0, 1);
}

function total(entries: readonly Entry[]): string {
  const sums = new EntrySums(32, 1000);
  for (const [name, firstByte] of entries) sums.add(name, sumOf(firstByte));
  const hash = createHash("sha256");
  atOnce(sums.addTo(hash));
  return hash.digest("hex");
}

function totalOf(firstBytes: readonly number[]): string {
  return createHash("sha256")
    .update(firstBytes.map((byte) => sumOf(byte).toString("hex")).join(""))
    .digest("hex");
}

describe("the sums of entries", () => {
  const ordered: readonly (readonly [what: string, entries: readonly Entry[], expected: readonly number[]])[] = [
    [
      "ascending",
      [
        ["a", 9],
        ["b", 3],
        ["c", 5],
      ],
      [3, 5, 9],
    ],
    [
      "one path in the order of its sums",
      [
        ["a", 3],
        ["b", 5],
        ["a", 9],
      ],
      [3, 5, 9],
    ],
    [
      "one path the other way round, nothing between",
      [
        ["a", 5],
        ["b", 9],
        ["a", 3],
      ],
      [5, 3, 9],
    ],
    [
      "one path in two stretches, others between these",
      [
        ["a", 2],
        ["a", 1],
        ["b", 5],
        ["a", 9],
        ["a", 8],
      ],
      [2, 1, 5, 9, 8],
    ],
    [
      "several paths the other way round",
      [
        ["a", 2],
        ["b", 8],
        ["a", 1],
        ["b", 7],
      ],
      [2, 1, 8, 7],
    ],
    [
      "one path with equal sums",
      [
        ["a", 5],
        ["a", 3],
        ["a", 5],
        ["b", 9],
      ],
      [5, 3, 5, 9],
    ],
    [
      "names that are one path",
      [
        ["./a", 5],
        ["a/", 3],
        ["./a/", 4],
      ],
      [5, 3, 4],
    ],
    [
      "names that only look like it",
      [
        ["././a", 5],
        ["a", 3],
        ["a//", 4],
        ["/a", 2],
        [".", 1],
      ],
      [1, 2, 3, 4, 5],
    ],
  ];
  for (const [what, entries, expected] of ordered) {
    it(`are put in order: ${what}`, () => {
      assert.equal(total(entries), totalOf(expected));
    });
  }

  const ambiguous: readonly (readonly [what: string, entries: readonly Entry[]])[] = [
    [
      "a sum between two that are the other way round",
      [
        ["a", 5],
        ["b", 4],
        ["a", 3],
      ],
    ],
    [
      "two paths across each other",
      [
        ["a", 8],
        ["b", 9],
        ["a", 6],
        ["b", 7],
      ],
    ],
    [
      "a sum between in the longer of two stretches",
      [
        ["a", 2],
        ["a", 1],
        ["a", 9],
        ["a", 7],
        ["b", 8],
      ],
    ],
  ];
  for (const [what, entries] of ambiguous) {
    it(`are refused where the order is ambiguous: ${what}`, () => {
      assert.throws(
        () => total(entries),
        (error) => error instanceof DigestInvalid && /ambiguous/.test(String(error.detail)),
      );
    });
  }

  it("have an order exactly when every two of them say one, and that one", () => {
    let [some, none] = [0, 0];
    const entry = fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat(30));
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([, byte]) => byte, maxLength: 7 }), (entries) => {
        const places = entries.map(([name, byte], i) => {
          const isBefore = ([other, value]: Entry, j: number): boolean => (other === name ? j < i : value < byte);
          return entries.filter(isBefore).length;
        });
        if (new Set(places).size < places.length) {
          none++;
          assert.throws(() => total(entries), DigestInvalid);
        } else {
          some++;
          const expected: number[] = [];
          for (const [i, place] of places.entries()) expected[place] = entries[i]?.[1] ?? 0;
          assert.equal(total(entries), totalOf(expected));
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(some > 100 && none > 100);
  });

  it("are put in order: very many", () => {
    const all = Array.from({ length: 5000 }, (_, i) => createHash("sha256").update(`${i}`).digest());
    const sums = new EntrySums(32, 5000);
    for (const [i, sum] of all.entries()) sums.add(`${i}`, sum);
    const hash = createHash("sha256");
    atOnce(sums.addTo(hash));
    const expected = createHash("sha256").update(Buffer.concat(all.toSorted(Buffer.compare)).toString("hex"));
    assert.equal(hash.digest("hex"), expected.digest("hex"));
  });

  it("of a tar with paths that come again are those by hand", () => {
    let [some, none] = [0, 0];
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "./a", "b/", "b", "c"), { maxLength: 5 }), fc.nat(), (names, seed) => {
        const tar = tarOf(names.map((name, i) => tarEntry({ name }, `${seed} ${i}`)));
        const hash = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
        hash.update(tar);
        const expected = resultOf(() => tarsumByHand(tar, "v1"));
        if (expected === undefined) none++;
        else some++;
        assert.equal(
          resultOf(() => hash.digest()),
          expected,
        );
      }),
      { numRuns: 500 },
    );
    assert.ok(some > 50 && none > 50);
  });

  it("are refused above the limit", () => {
    const sums = new EntrySums(32, 3);
    for (const name of ["a", "b", "c"]) sums.add(name, sumOf(1));
    assert.throws(
      () => sums.add("d", sumOf(1)),
      (error) => error instanceof DigestInvalid && /more than 3 entries/.test(String(error.detail)),
    );
  });
});

describe("the order of keys", () => {
  it("is that of their bytes, and of their numbers where they are equal", () => {
    const word = fc.constantFrom("00000000", "00000001", "7fffffff", "80000000", "ffffffff");
    const key = fc.tuple(word, word, word).map((words) => words.join(""));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
        const expected = keys
          .map((text, i) => ({ text, i }))
          .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.i - b.i));
        assert.deepEqual(
          [...atOnce(orderOf(keysOf(12, Buffer.from(keys.join(""), "hex"))))],
          expected.map(({ i }) => i),
        );
      }),
    );
  });

  it("is right for many", () => {
    const count = 20_000;
    const keys = Buffer.concat(
      Array.from({ length: count }, (_, i) =>
        createHash("sha256")
          .update(`${i % 15_000}`)
          .digest(),
      ),
    );
    const order = atOnce(orderOf(keysOf(32, keys)));
    assert.equal(new Set(order).size, count);
    for (let at = 1; at < count; at++) {
      const [a = 0, b = 0] = order.subarray(at - 1, at + 1);
      const compared = keys.compare(keys, b * 32, b * 32 + 32, a * 32, a * 32 + 32);
      assert.ok(compared < 0 || (compared === 0 && a < b));
    }
  });
});

function keysOf(width: number, bytes: Buffer): TarsumKeys {
  const keys = new TarsumKeys(width);
  for (let start = 0; start < bytes.length; start += width) keys.add(bytes.subarray(start, start + width));
  return keys;
}

function resultOf(step: () => string): string | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
