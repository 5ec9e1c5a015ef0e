import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  base256,
  GNU,
  type HeaderFields,
  longEntry,
  padding,
  paxEntry,
  paxRecord,
  tarEntry,
  tarHeader,
  tarOf,
} from "../../test/support/tar.ts";
import { type PlainEntry, sumByHand, tarsumByHand } from "../../test/support/tarsum.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import type { TarsumVersion } from "./tarsum.ts";

const VERSIONS = ["v0", "v1", "dev"] as const;

function tarsum(tar: Buffer, version: TarsumVersion): string {
  const hash = new TarsumAtOnce({ version, algorithm: "sha256" });
  hash.update(tar);
  return hash.digest();
}

/** What an entry must be to a sum; expected values are written here, not read from the tar. */
function plain(entry: Partial<Omit<PlainEntry, "numbers">> & { numbers?: Partial<PlainEntry["numbers"]> }): PlainEntry {
  const content = entry.content ?? Buffer.alloc(0);
  const size = BigInt(content.length);
  return {
    name: "a",
    typeflag: "0",
    linkname: "",
    uname: "",
    gname: "",
    xattrs: [],
    ...entry,
    content,
    numbers: { mode: 0o644n, uid: 0n, gid: 0n, mtime: 0n, devmajor: 0n, devminor: 0n, size, ...entry.numbers },
  };
}

/** The tar must have the sum of these entries in every version, and by hand too. */
function assertSums(tar: Buffer, expected: readonly PlainEntry[]): void {
  for (const version of VERSIONS) {
    assert.equal(tarsum(tar, version), sumByHand(expected, version), version);
    assert.equal(tarsumByHand(tar, version), sumByHand(expected, version), `${version}, by hand`);
  }
}

describe("a tarsum", () => {
  it("is of names, values and content of each entry, times in v0 alone", () => {
    const fields = {
      name: "bin/sh",
      mode: 0o104755,
      uid: 1000,
      gid: 50,
      mtime: 1413000000,
      linkname: "dash",
      uname: "root",
      gname: "staff",
      devmajor: 7,
      devminor: 8,
    };
    const text = "namebin/shmode35309uid1000gid50size5";
    const rest = "typeflag0linknamedashunamerootgnamestaffdevmajor0devminor0hello";
    const tar = tarOf([tarEntry(fields, "hello")]);
    for (const [version, header] of [
      ["v0", `${text}mtime1413000000${rest}`],
      ["v1", `${text}${rest}`],
      ["dev", `${text}${rest}`],
    ] as const) {
      const entry = createHash("sha256").update(header).digest("hex");
      const label = version === "v0" ? "tarsum" : `tarsum.${version}`;
      const expected = `${label}+sha256:${createHash("sha256").update(entry).digest("hex")}`;
      assert.equal(tarsum(tar, version), expected);
      assert.equal(tarsumByHand(tar, version), expected);
    }
  });

  it("is of extended attributes sorted by name, bytes as they are, and not in v0", () => {
    const records = ["SCHILY.xattr.user.z=1", "SCHILY.xattr.b=\x00\xff=\n", "SCHILY.xattr.user.Z=", "comment=x"];
    const xattrs = [
      ["b", "\x00\xff=\n"],
      ["user.Z", ""],
      ["user.z", "1"],
    ] as const;
    assertSums(tarOf([paxEntry(records), tarEntry({ name: "a" })]), [plain({ xattrs })]);
    const reversed = tarOf([paxEntry(records.toReversed()), tarEntry({ name: "a" })]);
    assertSums(reversed, [plain({ xattrs })]);
    assert.equal(tarsum(reversed, "v0"), tarsum(tarOf([tarEntry({ name: "a" })]), "v0"));
  });

  it("takes what an extended header says before what the block says", () => {
    const records = [
      "path=long/name",
      "linkpath=to",
      "uname=\xc3\xbcser",
      "gname=group",
      "uid=-1",
      "gid=4294967296",
      "mtime=-12.75",
      "size=3",
      "path=last/name",
    ];
    const tar = tarOf([
      paxEntry(records, ["atime=1.5", "ctime=x"]),
      tarEntry({ name: "a", uid: 5, mtime: 9, uname: "u" }, "abc"),
    ]);
    const numbers = { uid: -1n, gid: 4294967296n, mtime: -12n };
    const texts = { name: "last/name", linkname: "to", uname: "\xc3\xbcser", gname: "group" };
    assertSums(tar, [plain({ ...texts, numbers, content: Buffer.from("abc") })]);
  });

  it("takes an empty value of an extended header for an empty text", () => {
    const tar = tarOf([paxEntry(["uname=", "path="]), tarEntry({ name: "a", uname: "u", gname: "g" })]);
    assertSums(tar, [plain({ name: "", gname: "g" })]);
  });

  it("finds the content's length in an extended header where the block cannot say it", () => {
    const entry = [...tarHeader({ name: "a", size: 0 }), { bytes: Buffer.from("x".repeat(700)), isCovered: true }];
    const tar = tarOf([paxEntry(["size=700"]), entry, [padding(700)]]);
    assertSums(tar, [plain({ content: Buffer.from("x".repeat(700)) })]);
  });

  it("takes GNU's long names and links, the first of several, before everything else", () => {
    const [name, linkname] = ["n".repeat(300), "l".repeat(513)];
    const file = tarEntry({ name: "short", linkname: "short", magic: GNU });
    assertSums(tarOf([longEntry("L", name), file]), [plain({ name, linkname: "short" })]);
    assertSums(tarOf([longEntry("K", linkname), longEntry("L", name), file]), [plain({ name, linkname })]);
    assertSums(tarOf([longEntry("L", name), longEntry("L", "second"), file]), [plain({ name, linkname: "short" })]);
    const mixed = tarOf([longEntry("L", name), paxEntry(["path=other", "linkpath=to"]), file, file]);
    assertSums(mixed, [plain({ name, linkname: "to" }), plain({ name: "short", linkname: "short" })]);
    assertSums(tarOf([longEntry("L", "cut\0off"), file]), [plain({ name: "cut", linkname: "short" })]);
  });

  it("takes a prefix of ustar and, as Go did, of GNU's magic, shorter where star says so", () => {
    const long = "p".repeat(155);
    const star = { 476: "00000000000\0", 488: "00000000000\0", 508: "tar\0" };
    assertSums(tarOf([tarEntry({ name: "a", prefix: long })]), [plain({ name: `${long}/a` })]);
    assertSums(tarOf([tarEntry({ name: "a", prefix: "p", magic: GNU })]), [plain({ name: "p/a" })]);
    const starTar = tarOf([tarEntry({ name: "a", prefix: "p".repeat(131), patches: star })]);
    assertSums(starTar, [plain({ name: `${"p".repeat(131)}/a` })]);
  });

  it("takes neither owners' names nor a prefix nor devices from a header without a magic", () => {
    const fields = { name: "a", magic: "", uname: "u", gname: "g", prefix: "p", devmajor: 3, devminor: 4 };
    assertSums(tarOf([tarEntry({ ...fields, typeflag: "3" })]), [plain({ typeflag: "3" })]);
  });

  it("has the numbers of devices of character and block devices alone", () => {
    const devices = { devmajor: 0o12, devminor: 0o377 };
    for (const typeflag of ["3", "4"]) {
      const numbers = { devmajor: 10n, devminor: 255n };
      assertSums(tarOf([tarEntry({ name: "a", typeflag, ...devices })]), [plain({ typeflag, numbers })]);
    }
    const broken = { patches: { 329: "no digit" } };
    for (const typeflag of ["0", "1", "2", "5", "6"]) {
      assertSums(tarOf([tarEntry({ name: "a", typeflag, ...devices, ...broken })]), [plain({ typeflag })]);
    }
  });

  it("keeps the typeflag as it is, and reads content after any", () => {
    for (const typeflag of ["\0", "0", "1", "2", "5", "7", "V", "\xff", "D", "g"]) {
      const tar = tarOf([tarEntry({ name: "a/", linkname: "b", typeflag }, "abc"), tarEntry({ name: "b" })]);
      const first = plain({ name: "a/", linkname: "b", typeflag, content: Buffer.from("abc") });
      assertSums(tar, [first, plain({ name: "b" })]);
    }
  });

  it("has a global header as an entry, which changes nothing behind it", () => {
    const record = paxRecord("uname=nobody");
    const tar = tarOf([tarEntry({ name: "pax_global_header", typeflag: "g" }, record), tarEntry({ name: "a" })]);
    const header = plain({ name: "pax_global_header", typeflag: "g", content: Buffer.from(record) });
    assertSums(tar, [header, plain({})]);
  });

  it("gives an extended header to the block behind it whatever that is", () => {
    const record = paxRecord("path=inner");
    const inner = tarEntry({ name: "x", typeflag: "x" }, record);
    const tar = tarOf([paxEntry(["path=outer"]), inner, tarEntry({ name: "a" })]);
    const first = plain({ name: "outer", typeflag: "x", content: Buffer.from(record) });
    assertSums(tar, [first, plain({})]);
  });

  const numbers: readonly (readonly [string, Partial<HeaderFields>, Partial<PlainEntry["numbers"]>])[] = [
    [
      "binary ones",
      { uid: base256(2n ** 40n, 8), mtime: base256(2n ** 34n, 12) },
      { uid: 2n ** 40n, mtime: 2n ** 34n },
    ],
    ["a negative time", { mtime: base256(-5n, 12) }, { mtime: -5n }],
    ["a negative owner as Go read it", { uid: base256(-1n, 8) }, { uid: 2n ** 63n - 1n }],
    ["a binary size", { size: base256(0n, 12) }, {}],
    ["spaces", { patches: { 100: "   644 \0", 108: "  17   \0" } }, { mode: 0o644n, uid: 0o17n }],
    ["nothing", { patches: { 100: Buffer.alloc(8), 136: " ".repeat(12) } }, { mode: 0n }],
    ["no end", { patches: { 136: "777777777777" } }, { mtime: 0o777777777777n }],
    ["another text behind a NUL", { patches: { 108: "17\0zzzz\0" } }, { uid: 0o17n }],
  ];
  for (const [what, fields, expected] of numbers) {
    it(`understands numbers: ${what}`, () => {
      assertSums(tarOf([tarEntry({ name: "a", ...fields })]), [plain({ numbers: expected })]);
    });
  }

  it("takes a checksum of signed bytes and any way to write it", () => {
    const name = "\xff\xfe";
    const entry = Buffer.concat(tarHeader({ name }).map((part) => part.bytes));
    const sum = Number.parseInt(entry.toString("latin1", 148, 154), 8);
    for (const checksum of [`${(sum - 512).toString(8)}\0 `, ` ${sum.toString(8)}  `, `${sum.toString(8)}\0\0`]) {
      assertSums(tarOf([tarHeader({ name, checksum })]), [plain({ name })]);
    }
  });

  it("is the same in every order of entries", () => {
    const entries = ["a", "b", "c", "d"].map((name) => tarEntry({ name }, name.repeat(600)));
    const expected = ["a", "b", "c", "d"].map((name) => plain({ name, content: Buffer.from(name.repeat(600)) }));
    assertSums(tarOf(entries), expected);
    assertSums(tarOf(entries.toReversed()), expected);
  });

  it("is the same however the stream is cut", () => {
    const tar = tarOf(
      [
        longEntry("L", "n".repeat(600)),
        tarEntry({ name: "a", magic: GNU }, "x".repeat(1500)),
        paxEntry(["path=b", `SCHILY.xattr.user.a=${"v".repeat(700)}`]),
        tarEntry({ name: "c" }, "y".repeat(513)),
      ],
      Buffer.alloc(3000),
    );
    const whole = tarsumByHand(tar, "v1");
    fc.assert(
      fc.property(fc.array(fc.nat(tar.length)), (cuts) => {
        const hash = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
        const places = [0, ...cuts.toSorted((a, b) => a - b), tar.length];
        for (const [i, place] of places.entries()) {
          const chunk = Buffer.from(tar.subarray(place, places[i + 1]));
          hash.update(chunk);
          chunk.fill(0xff);
        }
        assert.equal(hash.digest(), whole);
      }),
    );
    const bytewise = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
    for (const byte of tar) bytewise.update(new Uint8Array([byte]));
    assert.equal(bytewise.digest(), whole);
  });

  it("takes zeros behind its end, two blocks or one or none, as many as there are", () => {
    const entry = tarEntry({ name: "a" }, "abc");
    for (const zeros of [0, 512, 1024, 1025, 10240, 200_000]) {
      assertSums(tarOf([entry], Buffer.alloc(zeros)), [plain({ content: Buffer.from("abc") })]);
    }
  });

  it("cannot be had twice", () => {
    const hash = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
    hash.digest();
    assert.throws(() => hash.digest(), TypeError);
    assert.throws(() => hash.update(Buffer.alloc(1)), TypeError);
  });
});
