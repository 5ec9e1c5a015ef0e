import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { paxEntry, type TarPart, tarEntry, tarOf } from "../../test/support/tar.ts";
import { TarsumAtOnce } from "../../test/support/tarsum-at-once.ts";
import type { TarsumAlgorithm, TarsumVersion } from "./tarsum.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function tarsum(tar: Buffer, version: TarsumVersion, algorithm: TarsumAlgorithm = "sha256"): string {
  const hash = new TarsumAtOnce({ version, algorithm });
  hash.update(tar);
  return hash.digest();
}

describe("published tarsums", () => {
  // Docker's own vectors, moby/moby pkg/tarsum/tarsum_test.go (TestIteration, TestTarSums). Times and modes of 0.
  const owner = { uid: 1000, gid: 1000, uname: "slartibartfast", gname: "users", mode: 0 };
  const keys = ["SCHILY.xattr.user.key1=value1", "SCHILY.xattr.user.key2=value2"];
  const otherCase = ["SCHILY.xattr.user.KEY1=value1", "SCHILY.xattr.user.key2=value2"];
  const million = tarEntry({ name: "/testdata0", mode: 0o755, typeflag: "\0" }, Buffer.alloc(1024 * 1024));
  const xattrs = tarEntry({ name: "xattrs.txt", ...owner }, "test");
  const vectors: readonly (readonly [TarsumVersion, TarsumAlgorithm, string, readonly (readonly TarPart[])[]])[] = [
    [
      "v0",
      "sha256",
      "626c4a2e9a467d65c33ae81f7f3dedd4de8ccaee72af73223c4bc4718cbc7bbd",
      [tarEntry({ name: "file.txt", mode: 0 })],
    ],
    [
      "dev",
      "sha256",
      "6ffd43a1573a9913325b4918e124ee982a99c0f3cba90fc032a65f5e20bdd465",
      [tarEntry({ name: "file.txt", mode: 0 })],
    ],
    [
      "dev",
      "sha256",
      "b38166c059e11fb77bef30bf16fba7584446e80fcc156ff46d47e36c5305d8ef",
      [tarEntry({ name: "another.txt", ...owner }, "test")],
    ],
    ["dev", "sha256", "4cc2e71ac5d31833ab2be9b4f7842a14ce595ec96a37af4ed08f87bc374228cd", [paxEntry(keys), xattrs]],
    [
      "dev",
      "sha256",
      "65f4284fa32c0d4112dd93c3637697805866415b570587e4fd266af241503760",
      [paxEntry(otherCase), xattrs],
    ],
    [
      "v0",
      "sha256",
      "c12bb6f1303a9ddbf4576c52da74973c00d14c109bcfa76b708d5da1154a07fa",
      [paxEntry(["SCHILY.xattr.user.NOT=CALCULATED"]), xattrs],
    ],
  ];
  for (const [i, [version, algorithm, hex, entries]] of vectors.entries()) {
    it(`come out: ${version}, ${i + 1}`, () => {
      assert.equal(tarsum(tarOf(entries), version, algorithm).split(":")[1], hex);
    });
  }

  // Nothing set the typeflag there, so it is NUL, which the Go of the time neither wrote nor read as another.
  for (const [algorithm, hex] of [
    ["sha256", "8bf12d7e67c51ee2e8306cba569398b1b9f419969521a12ffb9d8875e8836738"],
    [
      "sha512",
      "e9bfb90ca5a4dfc93c46ee061a5cf9837de6d2fdf82544d6460d3147290aecfabf7b5e415b9b6e72db9b8941f149d5d69fb17a394cbfaf2eac523bd9eae21855",
    ],
  ] as const) {
    it(`come out for a file of 1 MiB: ${algorithm}`, () => {
      assert.equal(tarsum(tarOf([million]), "v0", algorithm), `tarsum+${algorithm}:${hex}`);
    });
  }

  it("are the empty sum for an empty tar, with an end or without any byte", () => {
    for (const tar of [tarOf([]), Buffer.alloc(0), Buffer.alloc(512), Buffer.alloc(10240)]) {
      assert.equal(tarsum(tar, "v0"), `tarsum+sha256:${EMPTY}`);
      assert.equal(tarsum(tar, "v1"), `tarsum.v1+sha256:${EMPTY}`);
    }
  });
});
