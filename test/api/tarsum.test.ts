/** Uploads that end by a tarsum, as Docker 1.3 to 1.6 pushed. @see manifests, section 9 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  contentsOf,
  expectError,
  locationOf,
  noise,
  sameBytes,
  startUpload,
  unchanged,
} from "../support/api-content.ts";
import { base256, longEntry, paxEntry, type TarPart, tarEntry, tarHeader, tarOf } from "../support/tar.ts";
import { tarsumByHand } from "../support/tarsum.ts";

const ENTRIES: readonly (readonly TarPart[])[] = [
  tarEntry({ name: "etc/", typeflag: "5", mode: 0o755, mtime: 1_400_000_000 }),
  tarEntry({ name: "etc/hosts", uid: 1000, gid: 100, uname: "slartibartfast" }, "127.0.0.1 localhost\n"),
  paxEntry(["SCHILY.xattr.user.key=value", "path=etc/näme"]),
  tarEntry({ name: "etc/short" }, Buffer.from(Array.from({ length: 700 }, (_, i) => i * 31))),
  longEntry("K", "where/".repeat(30)),
  tarEntry({ name: "link", typeflag: "2" }),
];
/** For v0, which does not sum them. */
const WITHOUT_ATTRIBUTES = ENTRIES.filter((_, i) => i !== 2);
const TAR = tarOf(ENTRIES);
const CANONICAL = digestOf(TAR);
const V1 = tarsumByHand(TAR, "v1");
const EMPTY_HEX = digestOf(new Uint8Array()).slice("sha256:".length);
const METHODS = (["v0", "v1", "dev"] as const).flatMap((version) =>
  (["sha256", "sha512"] as const).map((algorithm) => [version, algorithm] as const),
);

registryContract("an upload by a tarsum", (open) => {
  for (const [version, algorithm] of METHODS) {
    const tarsum = tarsumByHand(TAR, version, algorithm);

    test(`of ${version} with ${algorithm} makes a blob with two names`, async () => {
      await using api = await open();
      const session = await startUpload(api, "a/b");
      await expectBlob(api, await put(api, session, tarsum, TAR), tarsum, TAR);
      const paths = Object.keys(await contentsOf(api.driver));
      assert.deepEqual(
        paths.filter((path) => /\/(?:data|link|startedat)$/.test(path)).sort(),
        [
          `/docker/registry/v2/blobs/sha256/${CANONICAL.slice(7, 9)}/${CANONICAL.slice(7)}/data`,
          layerLink(CANONICAL.replace(":", "/")),
          layerLink(`tarsum/${version}/${algorithm}/${tarsum.split(":")[1]}`),
        ].sort(),
      );
      for (const path of paths.filter((one) => one.endsWith("/link"))) {
        assert.equal(Buffer.from(await api.driver.getContent(path)).toString(), CANONICAL);
      }
    });
  }

  test("may come in chunks, and in a single POST", async () => {
    await using api = await open();
    let session = await startUpload(api, "a/b");
    for (const part of [TAR.subarray(0, 1000), TAR.subarray(1000)]) {
      session = locationOf(await api.send("PATCH", session, { body: [part] }));
    }
    await expectBlob(api, await put(api, session, V1), V1, TAR);
    for (const body of [TAR, [TAR.subarray(0, 1), TAR.subarray(1)]]) {
      await using other = await open();
      const target = `/v2/a/b/blobs/uploads/?digest=${encodeURIComponent(V1)}`;
      await expectBlob(other, await other.send("POST", target, { body }), V1, TAR);
    }
  });

  test("may be announced by any algorithm, and is hashed by the canonical one", async () => {
    await using api = await open();
    const session = await startUpload(api, "a/b", "?digest-algorithm=sha512");
    const patched = await api.send("PATCH", session, { body: TAR });
    await expectBlob(api, await put(api, locationOf(patched), V1), V1, TAR);
  });

  test("of no bytes is an empty tar", async () => {
    for (const tarsum of [`tarsum+sha256:${EMPTY_HEX}`, `tarsum.dev+sha256:${EMPTY_HEX}`]) {
      await using api = await open();
      await expectBlob(api, await put(api, await startUpload(api, "a/b"), tarsum), tarsum, Buffer.alloc(0));
      const target = `/v2/a/b/blobs/uploads/?digest=${encodeURIComponent(tarsum)}`;
      await expectBlob(api, await api.send("POST", target, { body: "" }), tarsum, Buffer.alloc(0));
    }
  });

  test("in a single POST without the bytes is a session", async () => {
    await using api = await open();
    const answer = await api.send("POST", `/v2/a/blobs/uploads/?digest=${encodeURIComponent(V1)}`, { body: "" });
    assert.equal(answer.status, 202);
    const refused = await put(api, locationOf(answer), V1);
    assert.match(String(expectError(refused, 400, "DIGEST_INVALID")), new RegExp(`${EMPTY_HEX}, not`));
  });

  test("with another sum is refused, told both sums, and goes on", async () => {
    await using api = await open();
    const wrong = tarsumByHand(tarOf(ENTRIES.slice(1)), "v1");
    const refused = await put(api, await startUpload(api, "a/b"), wrong, TAR);
    assert.equal(expectError(refused, 400, "DIGEST_INVALID"), `the uploaded bytes have ${V1}, not ${wrong}`);
    const [session] = Object.keys(await contentsOf(api.driver)).filter((path) => path.endsWith("/startedat"));
    const state = await api.send("GET", `/v2/a/b/blobs/uploads/${session?.split("/").at(-2)}`);
    assert.equal(state.headers["range"], `0-${TAR.length - 1}`);
    await expectBlob(api, await put(api, locationOf(state), V1), V1, TAR);
  });

  test("whose tar is not whole yet goes on when it is refused", async () => {
    await using api = await open();
    const session = locationOf(await api.send("PATCH", await startUpload(api, "a/b"), { body: TAR.subarray(0, 900) }));
    expectError(await put(api, session, V1), 400, "DIGEST_INVALID");
    const answer = await put(api, session, V1, TAR.subarray(900));
    await expectBlob(api, answer, V1, TAR);
  });

  const block = tarOf([tarHeader({ name: "x", typeflag: "x", size: 2 ** 20 + 1 })]);
  const hole = [longEntry("L", "sparse"), tarHeader({ name: "s", typeflag: "S", size: 0, patches: sparsePatches() })];
  const refusals: readonly (readonly [what: string, tar: Buffer, why: RegExp])[] = [
    ["is gzip", gzipSync(TAR), /compressed with gzip/],
    ["is cut short", TAR.subarray(0, 1030), /ends in the middle/],
    ["has something behind its end", Buffer.concat([TAR, Buffer.from("x")]), /behind its end/],
    ["is no tar", noise(2048), /checksum/],
    ["has an extended header of more than the limit", block, /more than 1048576 bytes/],
    ["has holes of more than the limit", tarOf(hole), /holes of more than/],
    [
      "announces 2^53 bytes",
      tarOf([tarHeader({ name: "a", size: base256(2n ** 53n - 1n, 12) })]),
      /middle of an entry/,
    ],
  ];
  for (const [what, tar, why] of refusals) {
    test(`of what ${what} is refused and stored nowhere`, async () => {
      await using api = await open();
      for (const begin of ["put", "post"] as const) {
        const query = `digest=${encodeURIComponent(V1)}`;
        const answer =
          begin === "post"
            ? await unchanged(api, () => api.send("POST", `/v2/a/blobs/uploads/?${query}`, { body: tar }))
            : await put(api, await startUpload(api, "a"), V1, tar);
        assert.match(String(expectError(answer, 400, "DIGEST_INVALID")), why);
      }
      const paths = Object.keys(await contentsOf(api.driver));
      assert.ok(!paths.some((path) => path.includes("/blobs/") || path.includes("/_layers/")));
    });
  }

  test("that nobody can verify is refused before its bytes are taken", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const hex = V1.split(":")[1];
    for (const tarsum of [
      `tarsum.v2+sha256:${hex}`,
      `tarsum.v0+sha256:${hex}`,
      "tarsum+md5:abcd",
      "tarsum+SHA256:ab",
    ]) {
      for (const target of [`${session}&`, "/v2/a/blobs/uploads/?"]) {
        const query = `digest=${encodeURIComponent(tarsum)}`;
        const method = target === `${session}&` ? "PUT" : "POST";
        const answer = await unchanged(api, () => api.send(method, target + query, { body: TAR }));
        const detail = String(expectError(answer, 400, "DIGEST_INVALID"));
        const accepted = "expected tarsum, tarsum.v1, tarsum.dev with sha256 or sha512";
        assert.equal(detail, `${tarsum} cannot be verified: ${accepted}`);
      }
    }
  });

  test("in upper case is refused: sums are compared as text", async () => {
    await using api = await open();
    const upper = V1.replace(/[^:]*$/, (hex) => hex.toUpperCase());
    const answer = await put(api, await startUpload(api, "a"), upper, TAR);
    assert.equal(expectError(answer, 400, "DIGEST_INVALID"), `the uploaded bytes have ${V1}, not ${upper}`);
  });

  test("of another form is refused as any other digest is", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    for (const text of ["tarsum", "tarsum%2Bsha256", "tarsum%2Bsha256:abcd", "tarsum.v1%2Bsha256:x", "tarsum.%2B:ab"]) {
      const answer = await unchanged(api, () => api.send("PUT", `${session}&digest=${text}`, { body: TAR }));
      assert.equal(expectError(answer, 400, "DIGEST_INVALID"), "digest parsing failed");
      const posted = await unchanged(api, () => api.send("POST", `/v2/a/blobs/uploads/?digest=${text}`, { body: TAR }));
      assert.match(String(expectError(posted, 400, "DIGEST_INVALID")), /^invalid /);
    }
  });

  test("whose + is not encoded is told how to write it", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    for (const [method, target] of [
      ["PUT", `${session}&digest=${V1}`],
      ["POST", `/v2/a/blobs/uploads/?digest=${V1}`],
    ] as const) {
      const answer = await unchanged(api, () => api.send(method, target, { body: TAR }));
      assert.match(String(expectError(answer, 400, "DIGEST_INVALID")), /%2B/);
    }
    const other = await api.send("PUT", `${session}&digest=tarsum.v1+sha256+x`, { body: TAR });
    assert.equal(expectError(other, 400, "DIGEST_INVALID"), "digest parsing failed");
  });

  test("is refused for a tar that differs in any one byte that the sum covers", async () => {
    await using api = await open();
    const flips = fc.constantFrom(...METHODS).chain(([version, algorithm]) => {
      const entries = version === "v0" ? WITHOUT_ATTRIBUTES : ENTRIES;
      const tar = tarOf(entries);
      const tarsum = tarsumByHand(tar, version, algorithm);
      const at = fc.constantFrom(...coveredPositions(entries));
      return fc.record({
        tar: fc.constant(tar),
        tarsum: fc.constant(tarsum),
        at,
        bits: fc.integer({ min: 1, max: 255 }),
      });
    });
    await fc.assert(
      fc.asyncProperty(flips, async ({ tar, tarsum, at, bits }) => {
        const other = Buffer.from(tar);
        other[at] = (other[at] ?? 0) ^ bits;
        const target = `/v2/a/blobs/uploads/?digest=${encodeURIComponent(tarsum)}`;
        expectError(await api.send("POST", target, { body: other }), 400, "DIGEST_INVALID");
      }),
      { numRuns: 300 },
    );
  });

  test("takes tars of one sum that differ where it does not look, each under its own digest", async () => {
    await using api = await open();
    const longer = Buffer.concat([TAR, Buffer.alloc(8192)]);
    for (const tar of [TAR, longer]) {
      await expectBlob(api, await put(api, await startUpload(api, "a/b"), V1, tar), V1, tar);
    }
    sameBytes((await api.send("GET", `/v2/a/b/blobs/${CANONICAL}`)).body, TAR);
  });
});

/** Ends an upload by a tarsum. */
async function put(api: Api, session: string, tarsum: string, body?: Uint8Array): Promise<Answer> {
  return await api.send("PUT", `${session}&digest=${encodeURIComponent(tarsum)}`, body === undefined ? {} : { body });
}

/** Checks what ended an upload to `a/b`, and that the blob is found by both names. */
async function expectBlob(api: Api, answer: Answer, tarsum: string, bytes: Uint8Array): Promise<void> {
  const canonical = digestOf(bytes);
  assert.equal(answer.status, 201, answer.body.toString());
  assert.equal(answer.headers["docker-content-digest"], canonical);
  assert.equal(answer.headers["content-length"], "0");
  assert.equal(locationOf(answer), `/v2/a/b/blobs/${canonical}`);
  for (const digest of [canonical, tarsum]) {
    const got = await api.send("GET", `/v2/a/b/blobs/${digest}`);
    assert.equal(got.status, 200);
    assert.equal(got.headers["docker-content-digest"], digest);
    assert.equal(got.headers["etag"], `"${digest}"`);
    sameBytes(got.body, bytes);
  }
}

function layerLink(parts: string): string {
  return `/docker/registry/v2/repositories/a/b/_layers/${parts}/link`;
}

function coveredPositions(entries: readonly (readonly TarPart[])[]): readonly number[] {
  const positions: number[] = [];
  let start = 0;
  for (const { bytes, isCovered } of entries.flat()) {
    if (isCovered) for (let i = 0; i < bytes.length; i++) positions.push(start + i);
    start += bytes.length;
  }
  return positions;
}

/** A sparse file of GNU's old form that is one hole of 1 GiB. */
function sparsePatches(): Readonly<Record<number, Buffer | string>> {
  return { 257: "ustar  \0", 386: "0".repeat(24), 483: "10000000000\0" };
}
