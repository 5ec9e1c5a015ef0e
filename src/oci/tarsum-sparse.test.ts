import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GNU, longEntry, padding, paxEntry, type TarPart, tarEntry, tarHeader, tarOf } from "../../test/support/tar.ts";
import { type PlainEntry, sumByHand, tarsumByHand } from "../../test/support/tarsum.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import { DigestInvalid } from "./errors.ts";
import { TARSUM_LIMITS, type TarsumLimits } from "./tarsum-limits.ts";

type Fragments = readonly (readonly [offset: number, bytes: string])[];

const NOTHING = Buffer.alloc(0);

function tarsum(tar: Buffer, limits: Partial<TarsumLimits> = {}): string {
  const hash = new TarsumAtOnce({ version: "v1", algorithm: "sha256" }, { ...TARSUM_LIMITS, ...limits });
  hash.update(tar);
  return hash.digest();
}

/** A sparse file's sum: that of all its bytes under its real size. */
function expectedSum(name: string, typeflag: string, content: Buffer): string {
  const numbers = { mode: 0o644n, uid: 0n, gid: 0n, mtime: 0n, devmajor: 0n, devminor: 0n };
  const texts = { linkname: "", uname: "", gname: "", xattrs: [] };
  const entry: PlainEntry = {
    name,
    typeflag,
    ...texts,
    content,
    numbers: { ...numbers, size: BigInt(content.length) },
  };
  return sumByHand([entry], "v1");
}

function wholeFile(size: number, fragments: Fragments): Buffer {
  const content = Buffer.alloc(size);
  for (const [offset, bytes] of fragments) content.write(bytes, offset, "latin1");
  return content;
}

function storedBytes(fragments: Fragments): string {
  return fragments.map(([, bytes]) => bytes).join("");
}

function oldField(value: number): string {
  return `${value.toString(8).padStart(11, "0")}\0`;
}

function sparse0List(list: string, count: number): readonly TarPart[] {
  const map = [`GNU.sparse.map=${list}`, `GNU.sparse.numblocks=${count}`];
  return paxEntry(["GNU.sparse.name=b", "GNU.sparse.size=9", ...map]);
}

/** GNU's old form: four fragments in the header, 21 in each block behind it. */
function oldSparse(size: number, fragments: Fragments, stored = storedBytes(fragments)): readonly TarPart[] {
  const maps = fragments.map(([offset, bytes]) => oldField(offset) + oldField(bytes.length));
  const blocks: Buffer[] = [];
  for (let start = 4; start < maps.length; start += 21) {
    const block = Buffer.alloc(512);
    block.write(maps.slice(start, start + 21).join(""), "latin1");
    if (start + 21 < maps.length) block[504] = 1;
    blocks.push(block);
  }
  const patches = { 386: maps.slice(0, 4).join(""), 482: blocks.length > 0 ? "\x01" : "\0", 483: oldField(size) };
  return [
    ...tarHeader({ name: "a", typeflag: "S", magic: GNU, size: stored.length, patches }),
    { bytes: Buffer.concat(blocks), isCovered: false },
    { bytes: Buffer.from(stored, "latin1"), isCovered: true },
    padding(stored.length),
  ];
}

/** Version 1.0: the map as lines at the head of the content. */
function sparse1(size: number, fragments: Fragments, map = mapLines(fragments)): readonly TarPart[] {
  const head = Buffer.alloc(Math.ceil(map.length / 512) * 512);
  head.write(map, "latin1");
  const records = [
    "GNU.sparse.major=1",
    "GNU.sparse.minor=0",
    "GNU.sparse.name=a",
    `GNU.sparse.realsize=${size}`,
    "path=GNUSparseFile.0/a",
  ];
  return [...paxEntry(records), ...tarEntry({ name: "x" }, head.toString("latin1") + storedBytes(fragments))];
}

function mapLines(fragments: Fragments): string {
  const lines = fragments.flatMap(([offset, bytes]) => [offset, bytes.length]);
  return `${[fragments.length, ...lines].join("\n")}\n`;
}

function sparse0(size: number, fragments: Fragments, version: "0.0" | "0.1"): readonly TarPart[] {
  const pairs = fragments.map(([offset, bytes]) => [offset, bytes.length]);
  const map =
    version === "0.1"
      ? ["GNU.sparse.name=a", `GNU.sparse.map=${pairs.flat().join(",")}`]
      : pairs.flatMap(([offset, length]) => [`GNU.sparse.offset=${offset}`, `GNU.sparse.numbytes=${length}`]);
  const records = [`GNU.sparse.size=${size}`, `GNU.sparse.numblocks=${fragments.length}`, ...map];
  return [...paxEntry(records), ...tarEntry({ name: version === "0.1" ? "x" : "a" }, storedBytes(fragments))];
}

const cases: readonly (readonly [what: string, size: number, fragments: Fragments])[] = [
  ["one hole before and one behind", 5000, [[1024, "x".repeat(700)]]],
  [
    "several fragments and an empty last one",
    9000,
    [
      [0, "abc"],
      [3, "d"],
      [4096, "y".repeat(513)],
      [9000, ""],
    ],
  ],
  ["nothing but a hole", 100_000, [[100_000, ""]]],
  ["a hundred fragments", 60_000, Array.from({ length: 100 }, (_, i) => [i * 600, `${i}`.padEnd(9, "z")] as const)],
];

describe("the tarsum of a sparse file", () => {
  for (const [what, size, fragments] of cases) {
    const content = wholeFile(size, fragments);
    for (const [form, typeflag, entry] of [
      ["old", "S", oldSparse(size, fragments)],
      ["0.0", "0", sparse0(size, fragments, "0.0")],
      ["0.1", "0", sparse0(size, fragments, "0.1")],
      ["1.0", "0", sparse1(size, fragments)],
    ] as const) {
      it(`is that of the whole file: ${form}, ${what}`, () => {
        const tar = tarOf([entry]);
        assert.equal(tarsum(tar), expectedSum("a", typeflag, content));
        assert.equal(tarsumByHand(tar, "v1"), expectedSum("a", typeflag, content));
      });
    }
  }

  it("is under a long name as well", () => {
    const entry = oldSparse(10, [[9, "z"]]);
    const content = wholeFile(10, [[9, "z"]]);
    assert.equal(tarsum(tarOf([longEntry("L", "long"), entry])), expectedSum("long", "S", content));
    assert.equal(tarsum(tarOf([paxEntry(["path=other"]), entry])), expectedSum("other", "S", content));
  });

  it("is that of the stored bytes where the version is none that Go knew", () => {
    const records = ["GNU.sparse.major=2", "GNU.sparse.minor=0", "GNU.sparse.name=b", "GNU.sparse.realsize=99"];
    const tar = tarOf([paxEntry(records), tarEntry({ name: "a" }, "abc")]);
    assert.equal(tarsum(tar), expectedSum("a", "0", Buffer.from("abc")));
    const nothing = tarOf([paxEntry(["GNU.sparse.name=b"]), tarEntry({ name: "a" }, "abc")]);
    assert.equal(tarsum(nothing), expectedSum("a", "0", Buffer.from("abc")));
  });

  const plainEntry = tarEntry({ name: "a" }, "abc");
  const two: Fragments = [
    [10, "ab"],
    [5, "cd"],
  ];
  const faults: readonly (readonly [what: string, entry: readonly TarPart[]])[] = [
    ["fragments out of order", oldSparse(20, two)],
    ["fragments out of order in a list", sparse0(20, two, "0.1")],
    [
      "fragments that overlap",
      sparse1(20, [
        [0, "abc"],
        [2, "d"],
      ]),
    ],
    ["a fragment behind the file", oldSparse(20, [[19, "ab"]])],
    ["a file smaller than its fragments", sparse1(3, [[0, "abcd"]])],
    ["fragments of more than is stored", oldSparse(20, [[0, "abcd"]], "abc")],
    ["fragments of less than is stored", oldSparse(20, [[0, "abc"]], "abcd")],
    ["a count that is none", sparse1(20, [[0, "abc"]], "x\n0\n3\n")],
    ["a negative count", sparse1(20, [], "-1\n")],
    ["a count of more than there are", sparse1(20, [[0, "abc"]], "2\n0\n3\n")],
    ["a negative offset", sparse1(20, [[0, "abc"]], "1\n-1\n3\n")],
    ["no end of a line", sparse1(20, [[0, "abc"]], "1".repeat(1024))],
    ["no map where one must be", [...paxEntry(["GNU.sparse.major=1", "GNU.sparse.minor=0"]), ...plainEntry]],
    ["a list without a count", [...paxEntry(["GNU.sparse.size=9", "GNU.sparse.map=0,3"]), ...plainEntry]],
    ["a list of more than its count", [...sparse0List("0,1,1,2,3,0", 2), ...plainEntry]],
    ["a list of half a fragment more", [...sparse0List("0,1,1,2,3", 2), ...plainEntry]],
    ["a list of another count", [...paxEntry(["GNU.sparse.size=9", "GNU.sparse.numblocks=2"]), ...plainEntry]],
    [
      "a real size that is none",
      [...paxEntry(["GNU.sparse.size=x", "GNU.sparse.numblocks=1", "GNU.sparse.map=0,3"]), ...plainEntry],
    ],
    ["a size of 2^53", sparse0(2 ** 53, [[0, "abc"]], "0.1")],
    [
      "two maps",
      [
        ...paxEntry(["GNU.sparse.size=9", "GNU.sparse.numblocks=1", "GNU.sparse.map=0,3"]),
        ...oldSparse(9, [[0, "abc"]]),
      ],
    ],
    ["two sizes", [...paxEntry(["size=3"]), ...oldSparse(9, [[0, "abc"]])]],
    [
      "no number",
      [
        ...tarHeader({ name: "a", typeflag: "S", magic: GNU, size: 0, patches: { 386: "no", 483: oldField(9) } }),
        { bytes: NOTHING, isCovered: true },
      ],
    ],
  ];
  for (const [what, entry] of faults) {
    it(`is refused for ${what}`, () => {
      assert.throws(() => tarsum(tarOf([entry])), DigestInvalid);
      assert.throws(() => tarsumByHand(tarOf([entry]), "v1"), Error);
    });
  }

  it("is refused for a stream that ends within the map", () => {
    const many = Array.from({ length: 30 }, (_, i) => [i, "x"] as const);
    for (const entry of [oldSparse(30, many), sparse1(30, many)]) {
      const tar = tarOf([entry], NOTHING);
      for (const missing of [30 + 512, tar.length - 600]) {
        assert.throws(() => tarsum(tar.subarray(0, tar.length - missing)), DigestInvalid);
      }
    }
  });

  it("is refused for more fragments than the limit, before they are all read", () => {
    const many = Array.from({ length: 60 }, (_, i) => [i * 2, "x"] as const);
    for (const entry of [oldSparse(120, many), sparse0(120, many, "0.1"), sparse1(120, many)]) {
      const refusal = (error: unknown): boolean =>
        error instanceof DigestInvalid && /more than 59 fragments/.test(String(error.detail));
      assert.throws(() => tarsum(tarOf([entry]), { fragments: 59 }), refusal);
      tarsum(tarOf([entry]), { fragments: 60 });
    }
    const endless = new TarsumAtOnce({ version: "v1", algorithm: "sha256" });
    const entry = tarOf([oldSparse(2 ** 40, many.slice(0, 5))], NOTHING).subarray(0, 512);
    const block = Buffer.alloc(512, `${oldField(1)}${oldField(1)}`, "latin1");
    block[504] = 1;
    endless.update(entry);
    assert.throws(() => {
      for (let i = 0; i < 2 ** 16; i++) endless.update(block);
    }, DigestInvalid);
  });

  it("is refused for holes above the limit, all files together", () => {
    const entry = sparse1(1000, [[0, "abc"]]);
    const other = oldSparse(1000, [[0, "abc"]]);
    assert.throws(
      () => tarsum(tarOf([entry, other]), { holeBytes: 2 * 997 - 1 }),
      (error) => error instanceof DigestInvalid && /holes of more than 1993 bytes/.test(String(error.detail)),
    );
    tarsum(tarOf([entry, other]), { holeBytes: 2 * 997 });
    assert.throws(() => tarsum(tarOf([oldSparse(2 ** 32, [[0, "abc"]])])), DigestInvalid);
  });
});
