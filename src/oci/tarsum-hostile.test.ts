import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import {
  base256,
  GNU,
  longEntry,
  paxEntry,
  paxRecord,
  type TarPart,
  tarEntry,
  tarHeader,
  tarOf,
  USTAR,
  withChecksum,
} from "../../test/support/tar.ts";
import { tarsumByHand } from "../../test/support/tarsum.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import { DigestInvalid } from "./errors.ts";
import type { TarsumVersion } from "./tarsum.ts";

const END: TarPart = { bytes: Buffer.alloc(1024 + 512), isCovered: true };

/** Undefined where it is refused; nothing but the one error refuses. */
function tarsum(tar: Buffer, version: TarsumVersion): string | undefined {
  const hash = new TarsumAtOnce({ version, algorithm: "sha256" });
  try {
    hash.update(tar);
    return hash.digest();
  } catch (error) {
    assert.ok(error instanceof DigestInvalid, String(error));
    return undefined;
  }
}

function byHand(tar: Buffer, version: TarsumVersion): string | undefined {
  try {
    return tarsumByHand(tar, version);
  } catch {
    return undefined;
  }
}

/** Every kind of entry; times count in v0 alone, attributes elsewhere. */
function partsFor(version: TarsumVersion): readonly TarPart[] {
  const [time, xattr] = ["mtime=99", "SCHILY.xattr.user.a=value"];
  const records = ["path=some/where", "uid=1000", "uname=someone"];
  const [counted, others] = version === "v0" ? [[...records, time], [xattr]] : [[...records, xattr], [time]];
  return [
    tarEntry({ name: "dir/", typeflag: "5", mode: 0o755, mtime: 1400000000 }),
    tarEntry({ name: "dir/file", uname: "root", gname: "root", uid: 5 }, "content".repeat(80)),
    paxEntry(counted, [...others, "comment=nothing", "atime=1.5"]),
    tarEntry({ name: "short", gid: 7 }, "x"),
    longEntry("K", "to/".repeat(40)),
    longEntry("L", "name/".repeat(30)),
    tarEntry({ name: "short", magic: GNU, typeflag: "2" }),
    tarEntry({ name: "hard", typeflag: "1", linkname: "dir/file", prefix: "some/prefix" }),
    tarEntry({ name: "null", typeflag: "3", devmajor: 1, devminor: 3 }),
    [END],
  ].flat();
}

interface Place {
  readonly at: number;
  readonly isCovered: boolean;
}

function placesOf(parts: readonly TarPart[]): readonly Place[] {
  const covered = parts.flatMap(({ bytes, isCovered }) => Array.from(bytes, () => isCovered));
  return covered.map((isCovered, at) => ({ at, isCovered }));
}

function changed(tar: Buffer, at: number, mask: number): Buffer {
  const other = Buffer.from(tar);
  other[at] = (other[at] ?? 0) ^ mask;
  return other;
}

const mask = fc.integer({ min: 1, max: 255 });

describe("one byte of a tar that is changed", () => {
  for (const version of ["v0", "v1"] as const) {
    const parts = partsFor(version);
    const tar = Buffer.concat(parts.map(({ bytes }) => bytes));
    const places = placesOf(parts);
    const sum = tarsumByHand(tar, version);

    /** What is covered never has the sum again; of the rest, what the plain reading says is true. */
    const assertChange = ({ at, isCovered }: Place, bits: number): void => {
      const other = changed(tar, at, bits);
      const result = tarsum(other, version);
      if (isCovered) assert.notEqual(result, sum, `${at} ^ ${bits}`);
      else assert.equal(result, byHand(other, version), `${at} ^ ${bits}`);
    };

    it(`never goes unnoticed but where no sum covers it: ${version}, every byte`, () => {
      assert.equal(tarsum(tar, version), sum);
      assert.ok(places.filter(({ isCovered }) => isCovered).length > 6000);
      for (const [i, place] of places.entries()) assertChange(place, [1, 0x10, 0x80, 0x20][i % 4] ?? 1);
    });

    it(`never goes unnoticed but where no sum covers it: ${version}, any bits`, () => {
      const change = (place: Place, bits: number): void => {
        assertChange(place, bits);
        const other = changed(tar, place.at, bits);
        assert.equal(tarsum(other, version), byHand(other, version));
      };
      fc.assert(fc.property(fc.constantFrom(...places), mask, change), { numRuns: 1000 });
    });
  }

  it("is a changed sum or a refusal in a header, with another checksum too, but for the times in v1", () => {
    const fields = { name: "a", uname: "u", gname: "g", linkname: "l", prefix: "p", typeflag: "3", devmajor: 1 };
    const entry = tarOf([tarEntry(fields, "abc")]);
    const isTime = (at: number): boolean => at >= 136 && at < 148;
    /** Bytes behind a text's NUL, numbers of another shape but one value, the version's two bytes. */
    let same = 0;
    for (const version of ["v0", "v1"] as const) {
      const sum = tarsumByHand(entry, version);
      fc.assert(
        fc.property(fc.nat(511), mask, (at, bits) => {
          const other = changed(entry, at, bits);
          withChecksum(other.subarray(0, 512));
          const result = tarsum(other, version);
          assert.equal(result, byHand(other, version), `${at} ^ ${bits}`);
          if (result === sum) same++;
          if (result !== undefined && isTime(at) && version === "v1") assert.equal(result, sum);
        }),
        { numRuns: 3000 },
      );
    }
    assert.ok(same > 0);
  });

  it("is another sum in v0 when it is a digit of the time, and none in v1", () => {
    const entry = tarOf([tarEntry({ name: "a", mtime: 0o12345670123 }, "abc")]);
    for (let at = 136; at < 147; at++) {
      const other = changed(entry, at, 1);
      withChecksum(other.subarray(0, 512));
      assert.notEqual(tarsum(other, "v0"), undefined);
      assert.notEqual(tarsum(other, "v0"), tarsum(entry, "v0"));
      assert.equal(tarsum(other, "v1"), tarsum(entry, "v1"));
    }
  });

  it("is no other sum in padding", () => {
    const tar = tarOf([tarEntry({ name: "a" }, "abc"), paxEntry(["path=b"]), tarEntry({ name: "c" })]);
    for (const at of [515, 1023, 1024 + 512 + 10, 2047]) {
      assert.equal(tarsum(changed(tar, at, 0xff), "v1"), tarsum(tar, "v1"));
    }
  });
});

describe("hostile bytes", () => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 12,
  });
  const number = fc.oneof(
    fc.nat(0o7777777),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map((value) => base256(value, 8)),
  );
  const size = fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(2000) },
    { weight: 1, arbitrary: fc.bigInt({ min: -5n, max: 2n ** 66n }).map((value) => base256(value, 12)) },
  );
  const patches = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(fc.nat(500).map(String), text, { maxKeys: 3 }) },
  );
  const typeflag = fc.constantFrom("0", "\0", "1", "2", "3", "5", "x", "g", "L", "K", "S", "V");
  const entry = fc
    .record({
      fields: fc.record({ name: text, linkname: text, uname: text, prefix: text, uid: number, typeflag, patches }),
      magic: fc.constantFrom(USTAR, GNU, "", "ustar\0zz"),
      size,
      content: fc.oneof(text, text.map(paxRecord)),
    })
    .map(({ fields, magic, size: given, content }) =>
      tarEntry({ ...fields, magic, ...(given !== undefined && { size: given }) }, content),
    );
  const name = fc.constantFrom(
    ..."path linkpath uname gname uid gid size mtime SCHILY.xattr.a SCHILY.xattr. GNU.sparse.name comment".split(" "),
    ..."major minor map size realsize numblocks offset numbytes".split(" ").map((each) => `GNU.sparse.${each}`),
  );
  const value = fc.oneof(text, fc.nat(3).map(String), fc.constantFrom("0,3", "0,1,2,1", "1", "-1", "", "1.5"));
  const record = fc.tuple(name, value).map(([key, each]) => `${key}=${each}`);
  const extended = fc.array(record, { maxLength: 5 }).map((records) => paxEntry(records));
  const long = fc.tuple(fc.constantFrom("L", "K"), text).map(([kind, each]) => longEntry(kind as "L" | "K", each));
  const raw = fc.uint8Array({ maxLength: 700 }).map((bytes) => [{ bytes: Buffer.from(bytes), isCovered: true }]);
  const entries = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: entry },
      { weight: 3, arbitrary: extended },
      { weight: 1, arbitrary: long },
      { weight: 1, arbitrary: raw },
    ),
    { maxLength: 5 },
  );

  it("have the sum that a plain reading gives them, or are refused by name", () => {
    let [some, none] = [0, 0];
    fc.assert(
      fc.property(entries, fc.constantFrom("v0", "v1"), (parts, version) => {
        const tar = tarOf(parts);
        const result = tarsum(tar, version);
        if (result === undefined) none++;
        else some++;
        assert.equal(result, byHand(tar, version));
      }),
      { numRuns: 5000 },
    );
    assert.ok(some > 500 && none > 500, `${some} have one, ${none} have none`);
  });

  it("that are random are refused by name", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (bytes) => {
        const tar = Buffer.from(bytes);
        assert.equal(tarsum(tar, "v1"), byHand(tar, "v1"));
      }),
      { numRuns: 500 },
    );
  });

  const MiB = 2 ** 20;
  const bytesOf = (parts: readonly TarPart[]): Buffer => tarOf([parts], Buffer.alloc(0));
  const longName = bytesOf(longEntry("L", "n".repeat(MiB - 1)));
  const manyRecords = bytesOf(paxEntry(Array.from({ length: 4000 }, (_, i) => `SCHILY.xattr.${i}=`)));
  const streams: readonly (readonly [what: string, first: Buffer, again: Buffer, times: number])[] = [
    ["long names without end", Buffer.alloc(0), longName, 100],
    [
      "extended headers of many records",
      Buffer.alloc(0),
      Buffer.concat([manyRecords, bytesOf(tarEntry({ name: "a" }))]),
      100,
    ],
    [
      "one file without end",
      bytesOf(tarHeader({ name: "a", size: base256(2n ** 50n, 12) })),
      Buffer.alloc(MiB, 1),
      300,
    ],
    ["entries with long names", Buffer.alloc(0), Buffer.concat([longName, bytesOf(tarEntry({ name: "a" }))]), 200],
    ["zeros without end", Buffer.alloc(1024), Buffer.alloc(MiB), 100],
  ];
  for (const [what, first, again, times] of streams) {
    it(`hold no memory: ${what}`, async () => {
      const before = await held();
      const hash = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
      hash.update(first);
      let most = 0;
      for (let i = 0; i < times; i++) {
        for (let start = 0; start < again.length; start += 65_536) hash.update(again.subarray(start, start + 65_536));
        if (i % 20 === 10) most = Math.max(most, (await held()) - before);
      }
      assert.ok(most < 16 * MiB, `${most} bytes`);
    });
  }
});

/** Bytes in use, without what nothing refers to; memory outside the heap is given back a turn after it was found. */
async function held(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let i = 0; i < 3; i++) {
    collect();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
