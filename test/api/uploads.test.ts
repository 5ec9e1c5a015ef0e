import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { canWriteAtomically } from "../../src/storage/driver.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  contentsOf,
  expectError,
  locationOf,
  noise,
  pushBlob,
  sameBytes,
  startUpload,
  unchanged,
} from "../support/api-content.ts";

const PATHS = new PathMapper();

const BYTES = Buffer.from("0123456789");
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

registryContract("an upload", (open) => {
  test("begins with its URL, its id and an empty range", async () => {
    await using api = await open();
    const answer = await api.send("POST", "/v2/a/b/blobs/uploads/");
    assert.equal(answer.status, 202);
    const id = String(answer.headers["docker-upload-uuid"]);
    assert.match(id, UUID);
    assert.ok(answer.headers.location?.startsWith(`${api.origin}/v2/a/b/blobs/uploads/${id}?_state=`));
    assert.equal(answer.headers["range"], "0-0");
    assert.equal(answer.headers["content-length"], "0");
    assert.equal(answer.headers["oci-chunk-min-length"], undefined);
    const started = await api.driver.getContent(`/docker/registry/v2/repositories/a/b/_uploads/${id}/startedat`);
    assert.match(Buffer.from(started).toString(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
    const digest = digestOf(BYTES, algorithm);

    test(`with one PUT makes a blob by ${algorithm}`, async () => {
      await using api = await open();
      const session = await startUpload(api, "a/b");
      const answer = await api.send("PUT", `${session}&digest=${digest}`, { body: BYTES });
      await expectBlob(api, answer, "a/b", digest, BYTES);
    });

    test(`with a single POST makes a blob by ${algorithm}`, async () => {
      await using api = await open();
      for (const body of [BYTES, [BYTES.subarray(0, 3), BYTES.subarray(3)]]) {
        const answer = await api.send("POST", `/v2/a/b/blobs/uploads/?digest=${encodeURIComponent(digest)}`, { body });
        await expectBlob(api, answer, "a/b", digest, BYTES);
      }
    });

    test(`streamed in one PATCH makes a blob by ${algorithm}, whether the algorithm was announced or not`, async () => {
      await using api = await open();
      for (const query of ["", `?digest-algorithm=${algorithm}`]) {
        const session = await startUpload(api, "a/b", query);
        const body = [BYTES.subarray(0, 4), BYTES.subarray(4)];
        const patched = await api.send("PATCH", session, { body });
        expectState(patched, 202, "0-9");
        const answer = await api.send("PUT", `${locationOf(patched)}&digest=${digest}`);
        await expectBlob(api, answer, "a/b", digest, BYTES);
      }
    });

    test(`in chunks makes a blob by ${algorithm}, the last with the PUT or before it`, async () => {
      await using api = await open();
      for (const last of [false, true]) {
        let session = await startUpload(api, "a/b");
        for (const [first, end] of [
          [0, 3],
          [4, 4],
        ] as const) {
          const headers = { "Content-Range": `${first}-${end}` };
          const answer = await api.send("PATCH", session, { headers, body: BYTES.subarray(first, end + 1) });
          expectState(answer, 202, `0-${end}`);
          session = locationOf(answer);
        }
        const rest = { headers: { "Content-Range": "5-9" }, body: BYTES.subarray(5) };
        if (!last) session = locationOf(await api.send("PATCH", session, rest));
        const answer = await api.send("PUT", `${session}&digest=${digest}`, last ? rest : {});
        await expectBlob(api, answer, "a/b", digest, BYTES);
      }
    });

    test(`without bytes makes the empty blob by ${algorithm}`, async () => {
      await using api = await open();
      const empty = digestOf(Buffer.alloc(0), algorithm);
      for (const begin of ["put", "patch", "chunked"] as const) {
        let session = await startUpload(api, "a/b");
        if (begin === "patch") session = locationOf(await api.send("PATCH", session, { body: "" }));
        if (begin === "chunked") session = locationOf(await api.send("PATCH", session, { body: [] }));
        const answer = await api.send("PUT", `${session}&digest=${empty}`);
        await expectBlob(api, answer, "a/b", empty, Buffer.alloc(0));
      }
      const posted = await api.send("POST", `/v2/a/c/blobs/uploads/?digest=${empty}`, { body: "" });
      await expectBlob(api, posted, "a/c", empty, Buffer.alloc(0));
    });

    test(`whose bytes have another ${algorithm} is refused and goes on`, async () => {
      await using api = await open();
      const session = await startUpload(api, "a");
      const other = digestOf(Buffer.from("other"), algorithm);
      const refused = await api.send("PUT", `${session}&digest=${other}`, { body: BYTES });
      expectError(refused, 400, "DIGEST_INVALID");
      assert.equal((await api.send("HEAD", `/v2/a/blobs/${other}`)).status, 404);
      const state = await api.send("GET", session);
      const isKept = !canWriteAtomically(api.driver); // where bytes are no blob's, there is nothing of them
      expectState(state, 204, isKept ? "0-9" : "0-0");
      const rest = { body: isKept ? "" : BYTES };
      const answer = await api.send("PUT", `${locationOf(state)}&digest=${digest}`, rest);
      await expectBlob(api, answer, "a", digest, BYTES);
    });
  }

  test("asked for an algorithm nobody computes is not begun", async () => {
    await using api = await open();
    for (const algorithm of ["md5", "", "SHA256", "__proto__", "constructor"]) {
      const target = `/v2/a/blobs/uploads/?digest-algorithm=${algorithm}`;
      expectError(await unchanged(api, () => api.send("POST", target)), 400, "DIGEST_INVALID");
    }
  });

  test("announced by one algorithm may be finished by another", async () => {
    await using api = await open();
    const session = await startUpload(api, "a", "?digest-algorithm=sha512");
    const patched = await api.send("PATCH", session, { body: BYTES });
    const answer = await api.send("PUT", `${locationOf(patched)}&digest=${digestOf(BYTES)}`);
    await expectBlob(api, answer, "a", digestOf(BYTES), BYTES);
  });

  test("in a single POST without the bytes is a session, and with a wrong digest nothing", async () => {
    await using api = await open();
    const announced = await api.send("POST", `/v2/a/blobs/uploads/?digest=${digestOf(BYTES)}`, { body: "" });
    expectState(announced, 202, "0-0");
    for (const digest of ["sha256:x", "", "x", digestOf(Buffer.from("other"))]) {
      const target = `/v2/a/blobs/uploads/?digest=${digest}`;
      const answer = await unchanged(api, () => api.send("POST", target, { body: BYTES }));
      expectError(answer, 400, "DIGEST_INVALID");
    }
  });

  test("takes bodies of any Content-Type, and of none that is one", async () => {
    await using api = await open();
    const digest = digestOf(BYTES);
    for (const type of [
      "application/octet-stream",
      "application/json",
      "text/plain",
      "x",
      ";;;",
      "a/b; c",
      "multipart/form-data",
    ]) {
      const headers = { "Content-Type": type };
      const session = await startUpload(api, "a");
      const patched = await api.send("PATCH", session, { body: BYTES.subarray(0, 2), headers });
      expectState(patched, 202, "0-1");
      const target = `${locationOf(patched)}&digest=${digest}`;
      const answer = await api.send("PUT", target, { body: BYTES.subarray(2), headers });
      await expectBlob(api, answer, "a", digest, BYTES);
      const posted = await api.send("POST", `/v2/b/blobs/uploads/?digest=${digest}`, { body: BYTES, headers });
      assert.equal(posted.status, 201);
    }
  });

  test("tells where it stands, with any _state or none", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const patched = await api.send("PATCH", session, { body: BYTES });
    const path = session.split("?", 1)[0] ?? "";
    for (const target of [session, locationOf(patched), path, `${path}?_state=x`]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await unchanged(api, () => api.send(method, target));
        expectState(answer, 204, "0-9");
        assert.equal(answer.headers["content-length"], undefined);
      }
    }
  });

  test("is gone after it was cancelled", async () => {
    await using api = await open();
    const patched = locationOf(await api.send("PATCH", await startUpload(api, "a"), { body: BYTES }));
    const cancelled = await api.send("DELETE", patched);
    assert.equal(cancelled.status, 204);
    assert.match(String(cancelled.headers["docker-upload-uuid"]), UUID);
    await unchanged(api, async () => {
      for (const method of ["DELETE", "GET", "PATCH"]) {
        expectError(await api.send(method, patched), 404, "BLOB_UPLOAD_UNKNOWN");
      }
      const put = await api.send("PUT", `${patched}&digest=${digestOf(BYTES)}`, { body: BYTES });
      expectError(put, 404, "BLOB_UPLOAD_UNKNOWN");
    });
    assert.ok(!Object.keys(await contentsOf(api.driver)).some((path) => path.endsWith("/data")));
  });

  test("is gone after it was finished, and its bytes are stored once", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const target = `${session}&digest=${digestOf(BYTES)}`;
    assert.equal((await api.send("PUT", target, { body: BYTES })).status, 201);
    expectError(await api.send("PUT", target, { body: BYTES }), 404, "BLOB_UPLOAD_UNKNOWN");
    expectError(await api.send("GET", session), 404, "BLOB_UPLOAD_UNKNOWN");
    const paths = Object.keys(await contentsOf(api.driver));
    assert.equal(paths.filter((path) => path.endsWith("/data")).length, 1);
    assert.ok(!paths.some((path) => path.endsWith("/startedat")));
  });

  test("can be finished again without bytes, because the answer may have been lost, where that says the same", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const patched = locationOf(await api.send("PATCH", session, { body: BYTES }));
    const target = `${patched}&digest=${digestOf(BYTES)}`;
    const first = await api.send("PUT", target);
    const again = await api.send("PUT", target);
    for (const answer of [first, again]) {
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.location, first.headers.location);
      assert.equal(answer.headers["docker-content-digest"], digestOf(BYTES));
    }
    const other = Buffer.from("other bytes");
    await pushBlob(api, "a", other);
    expectError(await api.send("PUT", `${patched}&digest=${digestOf(other)}`), 404, "BLOB_UPLOAD_UNKNOWN");
    await pushBlob(api, "b", other);
    const elsewhere = locationOf(await api.send("PATCH", await startUpload(api, "c"), { body: other }));
    assert.equal((await api.send("DELETE", elsewhere)).status, 204);
    expectError(await api.send("PUT", `${elsewhere}&digest=${digestOf(other)}`), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  test("needs a digest to be finished, and goes on without", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    await unchanged(api, async () => {
      const missing = await api.send("PUT", session, { body: BYTES });
      assert.equal(expectError(missing, 400, "DIGEST_INVALID"), "digest missing");
      for (const digest of ["x", "sha256:x", "md5:00", `sha256:${"A".repeat(64)}`]) {
        const answer = await api.send("PUT", `${session}&digest=${digest}`, { body: BYTES });
        assert.equal(expectError(answer, 400, "DIGEST_INVALID"), "digest parsing failed");
      }
    });
    expectState(await api.send("GET", session), 204, "0-0");
  });

  test("that nobody began is unknown", async () => {
    await using api = await open();
    await startUpload(api, "a");
    await unchanged(api, async () => {
      for (const id of ["6ba7b810-9dad-41d1-80b4-00c04fd430c8", "x", "x.y=", "..%2e", "%20"]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await api.send(method, `/v2/a/blobs/uploads/${id}`);
          assert.equal(answer.status, 404);
          if (method === "GET") expectError(answer, 404, "BLOB_UPLOAD_UNKNOWN");
        }
      }
      for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
        expectError(await api.send(method, "/v2/a/blobs/uploads/"), 404, "BLOB_UPLOAD_UNKNOWN");
      }
    });
  });

  test("is open to nobody without its _state", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const [path, query] = session.split("?") as [string, string];
    const other = (await startUpload(api, "a")).split("?")[1];
    const elsewhere = (await startUpload(api, "b")).split("?")[1];
    const tampered = query.replace(/^_state=(.)/, (_, first) => `_state=${first === "A" ? "B" : "A"}`);
    await unchanged(api, async () => {
      for (const state of [
        "",
        "_state=",
        "_state=%20",
        "_state=AAAA",
        other,
        elsewhere,
        tampered,
        `_state=${"A".repeat(8000)}`,
      ]) {
        for (const method of ["PATCH", "PUT", "DELETE", "POST"]) {
          const target = `${path}?${state}&digest=${digestOf(BYTES)}`;
          expectError(await api.send(method, target, { body: BYTES }), 404, "BLOB_UPLOAD_INVALID");
        }
      }
      const foreign = session.replace("/v2/a/", "/v2/b/");
      for (const method of ["PATCH", "PUT", "DELETE"]) {
        const answer = await api.send(method, `${foreign}&digest=${digestOf(BYTES)}`, { body: BYTES });
        expectError(answer, 404, "BLOB_UPLOAD_INVALID");
      }
    });
    assert.equal(expectErrorDetail(await api.send("PATCH", path, { body: "x" })), "invalid secret");
  });

  test("begins another one when its URL is posted to with its _state", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const answer = await api.send("POST", session);
    expectState(answer, 202, "0-0");
    assert.notEqual(locationOf(answer).split("?")[0], session.split("?")[0]);
  });

  test("refuses a stale _state with the true one, and keeps what it has", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const first = await api.send("PATCH", session, { body: BYTES.subarray(0, 4) });
    expectState(first, 202, "0-3");
    for (const method of ["PATCH", "PUT"]) {
      const target = `${session}&digest=${digestOf(BYTES)}`;
      const answer = await unchanged(api, () => api.send(method, target, { body: BYTES }));
      expectError(answer, 416, "RANGE_INVALID");
      assert.equal(answer.headers["range"], "0-3");
      assert.match(String(answer.headers["docker-upload-uuid"]), UUID);
      expectState(await api.send("GET", locationOf(answer)), 204, "0-3");
    }
    const target = `${locationOf(first)}&digest=${digestOf(BYTES)}`;
    await expectBlob(api, await api.send("PUT", target, { body: BYTES.subarray(4) }), "a", digestOf(BYTES), BYTES);
  });

  test("refuses a chunk that does not start at its end, stores none of it, and goes on", async () => {
    await using api = await open();
    const session = locationOf(await api.send("PATCH", await startUpload(api, "a"), { body: BYTES.subarray(0, 4) }));
    const digest = digestOf(BYTES);
    for (const range of ["0-5", "3-8", "5-10", "4-3", "9999999999999999999-9999999999999999999", "0-3"]) {
      for (const method of ["PATCH", "PUT"]) {
        for (const body of [BYTES.subarray(4), [BYTES.subarray(4)]]) {
          const headers = { "Content-Range": range };
          const target = `${session}&digest=${digest}`;
          const answer = await unchanged(api, () => api.send(method, target, { headers, body }));
          expectError(answer, 416, "RANGE_INVALID");
          assert.equal(answer.headers["range"], "0-3");
          expectState(await api.send("GET", locationOf(answer)), 204, "0-3");
        }
      }
    }
    const headers = { "Content-Range": "4-9" };
    const answer = await api.send("PUT", `${session}&digest=${digest}`, { headers, body: BYTES.subarray(4) });
    await expectBlob(api, answer, "a", digest, BYTES);
  });

  test("refuses a chunk whose Content-Range is none or of another length than announced", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    for (const range of [
      "",
      "x",
      "0",
      "-",
      "0-",
      "-9",
      "a-b",
      "0-9-9",
      "bytes */10",
      "0-9, 0-9",
      "0-8",
      "0-10",
      "0.0-9",
    ]) {
      for (const method of ["PATCH", "PUT"]) {
        const init = { headers: { "Content-Range": range }, body: BYTES };
        const target = `${session}&digest=${digestOf(BYTES)}`;
        const answer = await unchanged(api, () => api.send(method, target, init));
        expectError(answer, 400, "SIZE_INVALID");
      }
    }
  });

  test("understands the ways in which clients write a Content-Range", async () => {
    await using api = await open();
    for (const range of ["0-9", "bytes 0-9/10", "bytes=0-9", "bytes 0-9/*", " 0-9 ", "00-09"]) {
      for (const body of [BYTES, [BYTES]]) {
        const session = await startUpload(api, "a");
        expectState(await api.send("PATCH", session, { headers: { "Content-Range": range }, body }), 202, "0-9");
      }
    }
  });

  test("takes no more bytes than an unannounced chunk's Content-Range has", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const headers = { "Content-Range": "0-3" };
    for (const body of [[BYTES], [BYTES.subarray(0, 3)]]) {
      expectError(await api.send("PATCH", session, { headers, body }), 400, "SIZE_INVALID");
    }
  });

  test("keeps what arrived before the client went away", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    await api.raw(`PATCH ${session} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n01234`);
    const state = await api.send("GET", session);
    expectState(state, 204, "0-4");
    const target = `${locationOf(state)}&digest=${digestOf(BYTES)}`;
    const answer = await api.send("PUT", target, { body: BYTES.subarray(5) });
    await expectBlob(api, answer, "a", digestOf(BYTES), BYTES);
  });

  test("of bytes that are stored already makes the blob of this repository too", async () => {
    await using api = await open();
    const bytes = noise(100_000);
    await pushBlob(api, "a", bytes);
    const digest = await pushBlob(api, "b", bytes);
    sameBytes((await api.send("GET", `/v2/b/blobs/${digest}`)).body, bytes);
  });

  test("of bytes that are stored damaged in their full length mends them", async () => {
    await using api = await open();
    const bytes = noise(100_000);
    const digest = await pushBlob(api, "a", bytes);
    await api.driver.putContent(PATHS.blob(digest), Buffer.alloc(bytes.length));
    await pushBlob(api, "b", bytes);
    for (const name of ["a", "b"]) sameBytes((await api.send("GET", `/v2/${name}/blobs/${digest}`)).body, bytes);
  });

  test("asks a client that waits for it to go on", async () => {
    await using api = await open();
    const session = await startUpload(api, "a");
    const answer = await api.raw(
      `PUT ${session}&digest=${digestOf(BYTES)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n${BYTES}`,
    );
    assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created\r\n/);
  });
});

function expectState(answer: Answer, status: number, range: string): void {
  assert.equal(answer.status, status, answer.body.toString());
  assert.equal(answer.headers["range"], range);
  assert.match(String(answer.headers["docker-upload-uuid"]), UUID);
  assert.ok(locationOf(answer).includes(`/${answer.headers["docker-upload-uuid"]}?_state=`));
  assert.equal(answer.body.length, 0);
  if (status === 202) assert.equal(answer.headers["content-length"], "0");
}

async function expectBlob(api: Api, answer: Answer, name: string, digest: string, bytes: Buffer): Promise<void> {
  assert.equal(answer.status, 201, answer.body.toString());
  assert.equal(answer.headers.location, `${api.origin}/v2/${name}/blobs/${digest}`);
  assert.equal(answer.headers["docker-content-digest"], digest);
  assert.equal(answer.headers["docker-upload-uuid"], undefined);
  assert.equal(answer.headers["content-length"], "0");
  sameBytes((await api.send("GET", locationOf(answer))).body, bytes);
}

function expectErrorDetail(answer: Answer): unknown {
  return expectError(answer, 404, "BLOB_UPLOAD_INVALID");
}
