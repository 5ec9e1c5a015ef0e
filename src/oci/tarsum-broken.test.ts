import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  base256,
  type HeaderFields,
  longEntry,
  paxEntry,
  paxRecord,
  type TarPart,
  tarEntry,
  tarHeader,
  tarOf,
} from "../../test/support/tar.ts";
import { tarsumByHand } from "../../test/support/tarsum.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import { DigestInvalid } from "./errors.ts";
import { TARSUM_LIMITS, type TarsumLimits } from "./tarsum-limits.ts";

const METHOD = { version: "v1", algorithm: "sha256" } as const;
const NOTHING = Buffer.alloc(0);

function tarsum(tar: Buffer, limits: Partial<TarsumLimits> = {}): string {
  const hash = new TarsumAtOnce(METHOD, { ...TARSUM_LIMITS, ...limits });
  hash.update(tar);
  return hash.digest();
}

function assertRefused(tar: Buffer, why: RegExp): void {
  assert.throws(
    () => tarsum(tar),
    (error) => error instanceof DigestInvalid && why.test(String(error.detail)),
  );
  assert.throws(() => tarsumByHand(tar, "v1"), Error);
}

function record(text: string): readonly TarPart[] {
  return tarEntry({ name: "x", typeflag: "x" }, text);
}

const file = tarEntry({ name: "a" }, "abc");

describe("a tarsum is refused", () => {
  it("for gzip, by name, however small and however it comes", () => {
    for (const tar of [tarOf([file]), tarOf([tarEntry({ name: "b" }, Buffer.from(crypto.randomUUID().repeat(500)))])]) {
      const gzip = gzipSync(tar);
      assertRefused(gzip, /compressed with gzip/);
      const hash = new TarsumAtOnce(METHOD);
      assert.throws(
        () => {
          for (const byte of gzip) hash.update(new Uint8Array([byte]));
          hash.digest();
        },
        (error) => error instanceof DigestInvalid && /compressed with gzip/.test(String(error.detail)),
      );
    }
  });

  it("not for a first name that begins as gzip does", () => {
    const tar = tarOf([tarEntry({ name: "\x1f\x8b" })]);
    assert.equal(tarsum(tar), tarsumByHand(tar, "v1"));
  });

  it("for a stream that ends anywhere but between entries", () => {
    const entries = [longEntry("L", "n".repeat(200)), file, paxEntry(["path=b"]), file, tarEntry({ name: "c" })];
    const tar = tarOf(entries, NOTHING);
    const ends = [2048, 4096, 4608];
    assert.equal(tar.length, 4608);
    for (let length = 1; length <= tar.length; length++) {
      const part = tar.subarray(0, length);
      if (ends.includes(length)) assert.equal(tarsum(part), tarsumByHand(part, "v1"));
      else assertRefused(part, /ends in the middle|has no entry/);
    }
  });

  it("for anything but zeros behind the end", () => {
    const tar = tarOf([file], Buffer.alloc(70_000));
    for (const at of [1024 + 511, 1024 + 512, 1024 + 1023, 1024 + 1024, 40_000, tar.length - 1]) {
      const other = Buffer.from(tar);
      other[at] = 1;
      assertRefused(other, /behind|checksum/);
    }
    assertRefused(Buffer.concat([tarOf([file]), tarOf([file])]), /behind its end/);
    assertRefused(tarOf([file], Buffer.alloc(700)), /behind a block of zeros/);
    assertRefused(tarOf([file], Buffer.alloc(100)), /middle of a block/);
  });

  const blocks: readonly (readonly [what: string, fields: Partial<HeaderFields>, why: RegExp])[] = [
    ["a wrong checksum", { checksum: "000001\0 " }, /checksum/],
    ["an empty checksum", { checksum: "        " }, /checksum/],
    ["a checksum that is no number", { checksum: "checksum" }, /checksum/],
    ["a mode that is no number", { patches: { 100: "0000rwx\0" } }, /number/],
    ["an owner with 8 in it", { patches: { 108: "0000080\0" } }, /number/],
    ["a space within a number", { patches: { 116: "0 00001\0" } }, /number/],
    ["a sign", { patches: { 136: "-0000000001\0" } }, /number/],
    ["a time of more than 64 bits", { mtime: base256(2n ** 63n, 12) }, /number/],
    ["a time of less", { mtime: base256(-(2n ** 63n) - 1n, 12) }, /number/],
    ["a negative size", { size: base256(-1n, 12) }, /size/],
    ["a size of 2^53", { size: base256(2n ** 53n, 12) }, /size/],
    ["a size of 2^64", { size: base256(2n ** 64n, 12) }, /number/],
    ["a device that is no number", { typeflag: "3", patches: { 329: "no digit" } }, /number/],
    ["more bytes than there are", { size: 5000 }, /middle of an entry/],
    ["endlessly more", { size: base256(2n ** 53n - 1n, 12) }, /middle of an entry/],
  ];
  for (const [what, fields, why] of blocks) {
    it(`for ${what}`, () => {
      assertRefused(tarOf([file, tarHeader({ name: "a", ...fields })], Buffer.alloc(1024)), why);
    });
  }

  const records: readonly (readonly [what: string, text: string])[] = [
    ["no length", "path=b\n"],
    ["no space", "9path=ab\n"],
    ["a length of nothing", "0 path=b\n"],
    ["a negative length", "-9 path=b\n"],
    ["a length of more than there is", "99 path=b\n"],
    ["a length of less than the record", "9 path=bcd\n"],
    ["a length of 10^30", `1${"0".repeat(30)} path=b\n`],
    ["no name", "10 pathabc\n"],
    ["a name that ends in the next record", `7 path\n${paxRecord("a=b")}`],
    ["no line's end", "10 path=bc"],
    ["bytes behind the records", `${paxRecord("path=b")}\0`],
    ["an owner that is no number", paxRecord("uid=root")],
    ["an empty owner", paxRecord("gid=")],
    ["an owner of more than 64 bits", paxRecord(`uid=${2n ** 63n}`)],
    ["an owner of a million digits", paxRecord(`uid=${"1".repeat(1_000_000)}`)],
    ["a time that is no number", paxRecord("mtime=now")],
    ["a time with a sign in its fraction", paxRecord("mtime=1.-3")],
    ["a time with two points", paxRecord("mtime=1.2.3")],
    ["a time without seconds", paxRecord("mtime=.5")],
    ["a negative size", paxRecord("size=-3")],
    ["a size that is no number", paxRecord("size=0x3")],
    ["a size of 2^53", paxRecord(`size=${2 ** 53}`)],
  ];
  for (const [what, text] of records) {
    it(`for an extended header with ${what}`, () => {
      assertRefused(tarOf([record(text), file]), /extended header/);
    });
  }

  it("for an extended header or a long name without an entry", () => {
    assertRefused(tarOf([file, paxEntry(["path=b"])]), /has no entry/);
    assertRefused(tarOf([file, longEntry("L", "b")]), /has no entry/);
    assertRefused(tarOf([file, longEntry("K", "b")], NOTHING), /has no entry/);
    assertRefused(tarOf([file, longEntry("K", "b"), paxEntry(["path=b"])]), /has no entry/);
  });

  it("for an extended header or long name above the limit, before its bytes come", () => {
    for (const typeflag of ["x", "L", "K"]) {
      const hash = new TarsumAtOnce(METHOD, { ...TARSUM_LIMITS, extensionBytes: 1000 });
      hash.update(tarOf([tarHeader({ name: "a", typeflag, size: 1000 })], NOTHING));
      const other = new TarsumAtOnce(METHOD, { ...TARSUM_LIMITS, extensionBytes: 1000 });
      assert.throws(
        () => other.update(tarOf([tarHeader({ name: "a", typeflag, size: 1001 })], NOTHING)),
        (error) => error instanceof DigestInvalid && /more than 1000 bytes/.test(String(error.detail)),
      );
    }
  });

  it("for more entries than the limit", () => {
    const tar = tarOf(["a", "b", "c"].map((name) => tarEntry({ name })));
    assert.equal(tarsum(tar, { entries: 3 }), tarsumByHand(tar, "v1"));
    assert.throws(
      () => tarsum(tar, { entries: 2 }),
      (error) => error instanceof DigestInvalid && /more than 2 entries/.test(String(error.detail)),
    );
  });

  it("for an extended header of more records that count than the limit", () => {
    const records = ["path=b", "SCHILY.xattr.a=1", "SCHILY.xattr.b=2"];
    const tar = tarOf([paxEntry([...records, "path=c"], ["comment=1", "comment=2", "atime=1"]), file]);
    assert.equal(tarsum(tar, { records: 3 }), tarsumByHand(tar, "v1"));
    assert.throws(
      () => tarsum(tar, { records: 2 }),
      (error) => error instanceof DigestInvalid && /more than 2 records/.test(String(error.detail)),
    );
  });

  it("ever again after the first error", () => {
    const hash = new TarsumAtOnce(METHOD);
    let first: unknown;
    assert.throws(
      () => hash.update(Buffer.alloc(512, 1)),
      (error) => {
        first = error;
        return error instanceof DigestInvalid;
      },
    );
    assert.throws(
      () => hash.update(tarOf([])),
      (error) => error === first,
    );
    assert.throws(
      () => hash.digest(),
      (error) => error === first,
    );
  });
});
