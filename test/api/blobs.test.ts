import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import { expectError, noise, pushBlob, pushImage, sameBytes } from "../support/api-content.ts";

const PATHS = new PathMapper();

const BYTES = Buffer.from("0123456789");

registryContract("a blob", (open) => {
  for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
    test(`by ${algorithm} is answered whole with the digest asked for`, async () => {
      await using api = await open();
      const digest = await pushBlob(api, "a/b", BYTES, algorithm);
      for (const method of ["GET", "HEAD"]) {
        const answer = await api.send(method, `/v2/a/b/blobs/${digest}`);
        assert.equal(answer.status, 200);
        assert.deepEqual(pick(answer, "content-type", "content-length", "docker-content-digest", "etag"), {
          "content-type": "application/octet-stream",
          "content-length": "10",
          "docker-content-digest": digest,
          etag: `"${digest}"`,
        });
        assert.equal(answer.headers["cache-control"], "max-age=31536000");
        assert.equal(answer.headers["accept-ranges"], "bytes");
        assert.equal(answer.headers["last-modified"], undefined);
        assert.equal(answer.body.toString(), method === "GET" ? "0123456789" : "");
      }
    });
  }

  test("of several megabytes comes whole and in any part", async () => {
    await using api = await open();
    const bytes = noise(3 * 1024 * 1024 + 17);
    const digest = await pushBlob(api, "a", bytes);
    sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, bytes);
    for (const [start, end] of [
      [1, 70_000],
      [262_143, 262_144],
      [1_000_000, bytes.length - 1],
    ] as const) {
      const headers = { Range: `bytes=${start}-${end}` };
      const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers });
      assert.equal(answer.status, 206);
      sameBytes(answer.body, bytes.subarray(start, end + 1));
    }
  });

  test("is answered in part where one range is asked for", async () => {
    await using api = await open();
    const cases = [
      ["bytes=1-2", "12", "bytes 1-2/10"],
      ["bytes=0-0", "0", "bytes 0-0/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=2-", "23456789", "bytes 2-9/10"],
      ["bytes=5-1000", "56789", "bytes 5-9/10"],
      ["bytes=-1000", "0123456789", "bytes 0-9/10"],
      ["bytes=9-99999999999999999999999999", "9", "bytes 9-9/10"],
      ["Bytes = 1 - 2", "12", "bytes 1-2/10"],
      ["bytes=3-4,", "34", "bytes 3-4/10"],
      ["bytes=20-30, 1-1", "1", "bytes 1-1/10"],
    ] as const;
    for (const [range, body, contentRange] of cases) {
      const answer = await getRange(api, range);
      assert.equal(answer.status, 206, range);
      assert.equal(answer.body.toString(), body, range);
      assert.equal(answer.headers["content-range"], contentRange, range);
      assert.equal(answer.headers["content-length"], String(body.length));
      assert.equal(answer.headers["content-type"], "application/octet-stream");
      assert.equal(answer.headers["docker-content-digest"], digestOf(BYTES));
    }
  });

  test("is answered in parts where several ranges are asked for", async () => {
    await using api = await open();
    const answer = await getRange(api, "bytes=0-1, 4-5, -1");
    assert.equal(answer.status, 206);
    const type = answer.headers["content-type"] ?? "";
    const [, boundary] = /^multipart\/byteranges; boundary=([0-9a-f]+)$/.exec(type) ?? [];
    assert.ok(boundary);
    assert.equal(answer.headers["content-range"], undefined);
    assert.equal(answer.headers["content-length"], String(answer.body.length));
    const part = (range: string, body: string): string =>
      `--${boundary}\r\nContent-Range: bytes ${range}/10\r\nContent-Type: application/octet-stream\r\n\r\n${body}\r\n`;
    const expected = `${part("0-1", "01")}${part("4-5", "45")}${part("9-9", "9")}--${boundary}--\r\n`;
    assert.equal(answer.body.toString(), expected);
  });

  test("is answered whole where the ranges are more than it, too many, or of another unit", async () => {
    await using api = await open();
    const many = Array.from({ length: 5000 }, () => "0-0").join(",");
    for (const range of ["bytes=0-8,1-9", `bytes=${many.slice(0, 12_000)}`, "lines=1-2", "bytes", "1-2", ""]) {
      const answer = await getRange(api, range);
      assert.equal(answer.status, 200, range);
      assert.equal(answer.body.toString(), "0123456789");
      assert.equal(answer.headers["content-range"], undefined);
    }
  });

  test("is refused in parts that do not exist, on a connection that goes on", async () => {
    await using api = await open();
    const cases = [
      ["bytes=10-", "invalid range: failed to overlap\n"],
      ["bytes=10-20, 30-", "invalid range: failed to overlap\n"],
      ["bytes=99999999999999999999-", "invalid range: failed to overlap\n"],
      ["bytes=-0", "invalid range: failed to overlap\n"],
      ["bytes=5-0", "invalid range\n"],
      ["bytes=", "invalid range\n"],
      ["bytes=x-1", "invalid range\n"],
      ["bytes=1-2-3", "invalid range\n"],
      ["bytes=-", "invalid range\n"],
      ["bytes=--1", "invalid range\n"],
      ["bytes=0-1;2", "invalid range\n"],
      ["bytes=0x1-2", "invalid range\n"],
    ] as const;
    for (const [range, text] of cases) {
      const answer = await getRange(api, range);
      assert.equal(answer.status, 416, range);
      assert.equal(answer.body.toString(), text, range);
      assert.equal(answer.headers["content-length"], String(text.length));
      assert.equal(answer.headers["content-range"], "bytes */10");
      assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
      assert.equal(answer.headers.etag, undefined);
    }
  });

  test("is described whole to a HEAD, for which no range is defined", async () => {
    await using api = await open();
    await pushBlob(api, "a", BYTES);
    for (const range of ["bytes=10-", "bytes=1-2", "bytes=x"]) {
      const head = await api.send("HEAD", `/v2/a/blobs/${digestOf(BYTES)}`, { headers: { Range: range } });
      assert.equal(head.status, 200, range);
      assert.equal(head.headers["content-length"], "10");
    }
  });

  test("is answered in part under If-Range only to a client whose tag is strong and the same", async () => {
    await using api = await open();
    const digest = digestOf(BYTES);
    for (const [tag, status] of [
      [`"${digest}"`, 206],
      [`W/"${digest}"`, 200],
      [digest, 200],
      ['"other"', 200],
      ["Sat, 21 Nov 2026 00:00:00 GMT", 200],
      ["*", 200],
    ] as const) {
      assert.equal((await getRange(api, "bytes=0-0", { "If-Range": tag })).status, status, tag);
    }
  });

  test("is not sent again to a client that has it, and not at all where If-Match asks for another", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "a", BYTES);
    for (const tag of [`"${digest}"`, `W/"${digest}"`, digest, `"x", "${digest}"`, "*"]) {
      for (const method of ["GET", "HEAD"]) {
        const headers = { "If-None-Match": tag, Range: "bytes=0-0" };
        const answer = await api.send(method, `/v2/a/blobs/${digest}`, { headers });
        assert.equal(answer.status, 304, tag);
        assert.equal(answer.headers.etag, `"${digest}"`);
        assert.equal(answer.headers["docker-content-digest"], digest);
        assert.equal(answer.headers["cache-control"], "max-age=31536000");
        assert.equal(answer.body.length, 0);
      }
    }
    assert.equal((await getRange(api, undefined, { "If-None-Match": '"x"' })).status, 200);
    assert.equal((await getRange(api, undefined, { "If-Match": `"${digest}"` })).status, 200);
    const refused = await getRange(api, undefined, { "If-Match": '"x"' });
    expectError(refused, 412, "PRECONDITION_FAILED");
    assert.equal(refused.headers["docker-content-digest"], undefined);
  });

  test("without bytes is one, with and without a range", async () => {
    await using api = await open();
    for (const algorithm of ["sha256", "sha512"] as const) {
      const digest = await pushBlob(api, "a", Buffer.alloc(0), algorithm);
      for (const headers of [{}, { Range: "bytes=0-" }, { Range: "bytes=-1" }, { Range: "bytes=5-6" }]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await api.send(method, `/v2/a/blobs/${digest}`, { headers });
          assert.equal(answer.status, 200);
          assert.equal(answer.headers["content-length"], "0");
          assert.equal(answer.headers["docker-content-digest"], digest);
          assert.equal(answer.body.length, 0);
        }
      }
    }
  });

  test("is unknown where it is absent, in another repository only, or a manifest", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "other", BYTES);
    const image = await pushImage(api, "a");
    const absent = `sha256:${"0".repeat(64)}`;
    for (const [repository, reference] of [
      ["a", absent],
      ["a", `sha512:${"0".repeat(128)}`],
      ["a", digest],
      ["none", digest],
      ["a", image.digest],
    ] as const) {
      const answer = await api.send("GET", `/v2/${repository}/blobs/${reference}`);
      assert.equal(expectError(answer, 404, "BLOB_UNKNOWN"), reference);
      const head = await api.send("HEAD", `/v2/${repository}/blobs/${reference}`);
      assert.equal(head.status, 404);
      assert.equal(head.headers["content-length"], String(answer.body.length));
      assert.equal(answer.headers.etag, undefined);
      assert.equal(answer.headers["docker-content-digest"], undefined);
    }
  });

  test("has a well-formed digest of a known algorithm", async () => {
    await using api = await open();
    for (const text of [
      "sha256:x",
      "sha256",
      "x",
      `sha256:${"A".repeat(64)}`,
      `sha256:${"a".repeat(63)}`,
      `sha1:${"a".repeat(40)}`,
      `tarsum.v1+sha256:${"a".repeat(63)}`,
      "..%2e",
      "sha256:..",
      `sha256:${"a".repeat(9000)}`,
    ]) {
      for (const method of ["GET", "DELETE"]) {
        expectError(await api.send(method, `/v2/a/blobs/${text}`), 400, "DIGEST_INVALID");
      }
      assert.equal((await api.send("HEAD", `/v2/a/blobs/${text}`)).status, 400);
    }
  });

  test("whose bytes are gone although it is linked is unknown", async () => {
    await using api = await open();
    const digest = await pushBlob(api, "a", BYTES);
    await api.driver.delete(PATHS.blob(digest));
    expectError(await api.send("GET", `/v2/a/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    await api.driver.putContent(PATHS.layerLink(parseRepositoryName("a"), digest), Buffer.alloc(0));
    expectError(await api.send("GET", `/v2/a/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  });

  test("that a peer stored under sha256 and linked as sha512 is answered as what was asked for", async () => {
    await using api = await open();
    const stored = await pushBlob(api, "a", BYTES);
    const alias = digestOf(BYTES, "sha512");
    await api.driver.putContent(PATHS.layerLink(parseRepositoryName("a"), alias), Buffer.from(stored));
    const answer = await api.send("GET", `/v2/a/blobs/${alias}`);
    assert.equal(answer.body.toString(), "0123456789");
    assert.equal(answer.headers["docker-content-digest"], alias);
    assert.equal(answer.headers.etag, `"${alias}"`);
  });

  async function getRange(api: Api, range: string | undefined, headers: Record<string, string> = {}): Promise<Answer> {
    const digest = await pushBlob(api, "a", BYTES);
    const all = { ...headers, ...(range !== undefined && { Range: range }) };
    return await api.send("GET", `/v2/a/blobs/${digest}`, { headers: all });
  }
});

function pick(answer: Answer, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, answer.headers[name]]));
}
