import assert from "node:assert/strict";
import { test } from "node:test";
import { type DigestAlgorithm, digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  type Document,
  descriptorOf,
  imageDocument,
  indexOf,
  locationOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
  sameBytes,
  startUpload,
} from "../support/api-content.ts";

type Push = (api: Api, bytes: Buffer, algorithm: DigestAlgorithm, digest?: string) => Promise<Answer>;

const CONTENTS: Readonly<Record<string, Buffer>> = {
  "some bytes": Buffer.from("some bytes of a layer"),
  "an empty object": Buffer.from("{}"),
  "the empty blob": Buffer.alloc(0),
};

const WAYS: Readonly<Record<string, Push>> = {
  "POST alone": (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) =>
    api.send("POST", `/v2/a/blobs/uploads/?digest=${digest}`, { body: bytes }),
  "POST and PUT": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) =>
    await api.send("PUT", `${await startUpload(api, "a")}&digest=${digest}`, { body: bytes }),
  "one chunk": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) => {
    const session = await chunk(api, await startUpload(api, "a"), bytes, 0, bytes.length);
    return await api.send("PUT", `${session}&digest=${digest}`);
  },
  "a stream": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) => {
    const session = await startUpload(api, "a", `?digest-algorithm=${algorithm}`);
    const patched = await api.send("PATCH", session, { body: [bytes] });
    return await api.send("PUT", `${locationOf(patched)}&digest=${digest}`);
  },
  "three chunks, one sent out of order before": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) => {
    let session = await startUpload(api, "a");
    const [one, two] = [Math.floor(bytes.length / 3), Math.floor((2 * bytes.length) / 3)];
    const headers = { "Content-Range": `${two + 1}-${bytes.length + 1}` };
    const early = await api.send("PATCH", session, { headers, body: bytes.subarray(two) });
    assert.equal(early.status, 416);
    session = locationOf(await api.send("GET", session));
    for (const [start, end] of [
      [0, one],
      [one, two],
      [two, bytes.length],
    ] as const) {
      session = await chunk(api, session, bytes, start, end);
    }
    return await api.send("PUT", `${session}&digest=${digest}`);
  },
  "a chunk and the rest with PUT": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) => {
    const half = Math.floor(bytes.length / 2);
    const session = await chunk(api, await startUpload(api, "a"), bytes, 0, half);
    const range = half < bytes.length ? { "Content-Range": `${half}-${bytes.length - 1}` } : {};
    return await api.send("PUT", `${session}&digest=${digest}`, { headers: range, body: bytes.subarray(half) });
  },
  "a mount that fails": async (api, bytes, algorithm, digest = digestOf(bytes, algorithm)) => {
    const session = await startUpload(api, "a", `?mount=${digest}&from=none`);
    return await api.send("PUT", `${session}&digest=${digest}`, { body: bytes });
  },
};

/** What the specification's conformance run does, group by group. @see http-api, section 13 */
registryContract("the conformance run", (open) => {
  test("on an empty repository lists no tags and no referrers", async () => {
    await using api = await open();
    assert.equal((await api.send("GET", "/v2/a/tags/list")).status, 404);
    assert.equal((await api.send("GET", `/v2/a/referrers/${digestOf(Buffer.from("x"))}`)).status, 200);
  });

  for (const algorithm of ["sha256", "sha512"] as const) {
    for (const [what, bytes] of Object.entries(CONTENTS)) {
      const digest = digestOf(bytes, algorithm);

      for (const [way, push] of Object.entries(WAYS)) {
        test(`pushes ${what} by ${algorithm} with ${way}, and has it back from its Location, not under a wrong digest`, async () => {
          await using api = await open();
          assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 404);
          assert.equal((await api.send("HEAD", `/v2/a/blobs/${digest}`)).status, 404);
          const wrong = await push(api, Buffer.concat([bytes, Buffer.from("!")]), algorithm, digest);
          assert.equal(wrong.status, 400, "a wrong digest");
          assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 404);
          const answer = await push(api, bytes, algorithm);
          assert.equal(answer.status, 201, answer.body.toString());
          assert.equal(answer.headers["docker-content-digest"], digest);
          sameBytes((await api.send("GET", locationOf(answer))).body, bytes);
          const head = await api.send("HEAD", `/v2/a/blobs/${digest}`);
          assert.equal(head.headers["content-length"], String(bytes.length));
          assert.equal((await api.send("DELETE", `/v2/a/blobs/${digest}`)).status, 202);
          assert.equal((await api.send("DELETE", `/v2/a/blobs/${digest}`)).status, 404);
          assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`)).status, 404);
        });
      }
    }

    test(`reads ranges of a blob by ${algorithm}`, async () => {
      await using api = await open();
      const bytes = noise(4096);
      const digest = await pushBlob(api, "a", bytes, algorithm);
      for (const [range, expected] of [
        ["500-1499", bytes.subarray(500, 1500)],
        ["500-", bytes.subarray(500)],
        ["-500", bytes.subarray(-500)],
        ["2000-5000", bytes.subarray(2000)],
      ] as const) {
        const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers: { Range: `bytes=${range}` } });
        assert.equal(answer.status, 206, range);
        sameBytes(answer.body, expected);
      }
      for (const range of ["500-0", "5000-10000"]) {
        const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers: { Range: `bytes=${range}` } });
        assert.equal(answer.status, 416, range);
      }
    });

    for (const kind of [
      "image",
      "index",
      "nested index",
      "artifact",
      "referrer",
      "missing subject",
      "index with subject",
      "data",
      "custom fields",
    ] as const) {
      test(`pushes, pulls and deletes a manifest by ${algorithm} by digest and by tag: ${kind}`, async () => {
        await using api = await open();
        const document = await manifestOf(api, kind, algorithm);
        const bytes = Buffer.from(JSON.stringify(document, undefined, 3));
        const digest = digestOf(bytes, algorithm);
        const type = String(document["mediaType"]);
        const subject = (document["subject"] as { digest: string } | undefined)?.digest;
        const missing = await api.send("GET", `/v2/a/manifests/${digest}`);
        assert.equal(missing.status, 404);
        for (const reference of algorithm === "sha256" ? [digest, "tag"] : [digest, `${digest}?tag=tag`]) {
          const answer = await putManifest(api, "a", reference, bytes, type);
          assert.equal(answer.status, 201, answer.body.toString());
          assert.equal(answer.headers["docker-content-digest"], digest);
          assert.equal(answer.headers["oci-subject"], subject);
          sameBytes((await api.send("GET", locationOf(answer))).body, bytes);
        }
        for (const reference of [digest, "tag"]) {
          const answer = await api.send("GET", `/v2/a/manifests/${reference}`, { headers: { Accept: type } });
          sameBytes(answer.body, bytes);
          assert.equal(answer.headers["content-type"], type);
        }
        if (subject) {
          const referrers = await api.send("GET", `/v2/a/referrers/${subject}`);
          assert.ok(referrers.body.includes(digest));
        }
        for (const reference of ["tag", digest]) {
          assert.equal((await api.send("DELETE", `/v2/a/manifests/${reference}`)).status, 202);
          assert.equal((await api.send("DELETE", `/v2/a/manifests/${reference}`)).status, 404);
          assert.equal((await api.send("GET", `/v2/a/manifests/${reference}`)).status, 404);
        }
        if (subject) assert.ok(!(await api.send("GET", `/v2/a/referrers/${subject}`)).body.includes(digest));
      });
    }
  }
});

/** @returns the session's URL behind the chunk; none is sent for no bytes */
async function chunk(api: Api, session: string, bytes: Buffer, start: number, end: number): Promise<string> {
  if (start === end) return session;
  const headers = { "Content-Range": `${start}-${end - 1}` };
  const answer = await api.send("PATCH", session, { headers, body: bytes.subarray(start, end) });
  assert.equal(answer.status, 202);
  assert.equal(answer.headers["range"], `0-${end - 1}`);
  return locationOf(answer);
}

async function manifestOf(api: Api, kind: string, algorithm: DigestAlgorithm): Promise<Document> {
  const image = (extra: Document = {}, layers: readonly Uint8Array[] = []): Promise<Document> =>
    imageDocument(api, "a", { extra, layers, algorithm });
  const other = await pushImage(api, "a", { algorithm, layers: [Buffer.from(kind)] });
  const absent = { mediaType: MediaType.ociManifest, digest: digestOf(Buffer.from("absent"), algorithm), size: 6 };
  switch (kind) {
    case "index":
      return indexOf([other], { annotations: { kind } });
    case "nested index": {
      const index = indexOf([other]);
      const bytes = Buffer.from(JSON.stringify(index));
      const digest = digestOf(bytes, algorithm);
      assert.equal((await putManifest(api, "a", digest, bytes, MediaType.ociIndex)).status, 201);
      return indexOf([{ digest, bytes, document: index }]);
    }
    case "artifact":
      return await image({ artifactType: "application/vnd.example" });
    case "referrer":
      return await image({ subject: descriptorOf(other), artifactType: "application/vnd.example" });
    case "missing subject":
      return await image({ subject: absent });
    case "index with subject":
      return indexOf([], { subject: absent, artifactType: "application/vnd.example" });
    case "data": {
      const { config, ...rest } = await image();
      const { digest } = config as { digest: string };
      const data = (await api.send("GET", `/v2/a/blobs/${digest}`)).body.toString("base64");
      return { ...rest, config: { ...(config as object), data } };
    }
    case "custom fields":
      return await image({ "org.example.custom": { deep: [1, "2", null] } });
    default:
      return await image({}, [Buffer.from("one"), Buffer.from("two")]);
  }
}
