import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  contentsOf,
  imageDocument,
  json,
  locationOf,
  noise,
  putManifest,
  sameBytes,
  startUpload,
} from "../support/api-content.ts";

/** How a client sends the next bytes, or does something that must not harm. */
type Turn = "announced" | "streamed" | "ranged" | "interrupted" | "stale" | "misplaced";

const BYTES = noise(40_000);

registryContract("many requests", (open) => {
  test("that send a blob in any pieces, with any interruptions, come to the same blob", async () => {
    const turn = fc.constantFrom<Turn>("announced", "streamed", "ranged", "interrupted", "stale", "misplaced");
    const turns = fc.array(fc.tuple(turn, fc.integer({ min: 0, max: 12_000 })), { maxLength: 8 });
    const algorithms = fc.constantFrom("sha256", "sha512");
    await fc.assert(
      fc.asyncProperty(turns, algorithms, fc.boolean(), async (steps, algorithm, restWithPut) => {
        await using api = await open();
        const digest = digestOf(BYTES, algorithm);
        let session = await startUpload(api, "a");
        for (const [how, length] of steps) session = await take(api, session, how, length);
        let rest = BYTES.subarray(offsetOf(session));
        if (!restWithPut) {
          session = locationOf(await api.send("PATCH", session, { body: rest }));
          rest = BYTES.subarray(BYTES.length);
        }
        const answer = await api.send("PUT", `${session}&digest=${digest}`, { body: rest });
        assert.equal(answer.status, 201, answer.body.toString());
        sameBytes((await api.send("GET", locationOf(answer))).body, BYTES);
      }),
      { numRuns: 40 },
    );
  });

  test("that upload the same blob at once all succeed and store it once", async () => {
    await using api = await open();
    const digest = digestOf(BYTES);
    const one = async (i: number): Promise<Answer> => {
      const repository = `r${i % 4}`;
      if (i % 3 === 0)
        return await api.send("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: BYTES });
      const session = await startUpload(api, repository);
      return await api.send("PUT", `${session}&digest=${digest}`, { body: i % 2 === 0 ? BYTES : [BYTES] });
    };
    const answers = await Promise.all(Array.from({ length: 32 }, (_, i) => one(i)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 201),
    );
    const paths = Object.keys(await contentsOf(api.driver));
    assert.equal(paths.filter((path) => path.endsWith("/data")).length, 1);
    assert.ok(!paths.some((path) => path.endsWith("/startedat")));
    for (const i of [0, 1, 2, 3]) sameBytes((await api.send("GET", `/v2/r${i}/blobs/${digest}`)).body, BYTES);
  });

  test("that write to one session at once make the blob or leave the session to go on with", async () => {
    await using api = await open();
    const digest = digestOf(BYTES);
    const session = await startUpload(api, "a");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.send("PUT", `${session}&digest=${digest}`, { body: BYTES })),
    );
    for (const { status, body } of answers) assert.ok([201, 404, 416].includes(status), `${status} ${body}`);
    if (!answers.some(({ status }) => status === 201)) {
      const state = locationOf(await api.send("GET", session));
      const rest = BYTES.subarray(offsetOf(state));
      assert.equal((await api.send("PUT", `${state}&digest=${digest}`, { body: rest })).status, 201);
    }
    sameBytes((await api.send("GET", `/v2/a/blobs/${digest}`)).body, BYTES);
  });

  test("that push and delete one tag at once leave one of the manifests, or none, and a list that agrees", async () => {
    await using api = await open();
    const manifests: Buffer[] = [];
    for (let i = 0; i < 6; i++) {
      const document = await imageDocument(api, "a", { extra: { annotations: { i: String(i) } } });
      manifests.push(Buffer.from(JSON.stringify(document)));
    }
    const digests = manifests.map((bytes) => digestOf(bytes));
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        manifests.flatMap((bytes, i) => [
          putManifest(api, "a", "t", bytes, MediaType.ociManifest),
          api.send("DELETE", i % 2 === 0 ? "/v2/a/manifests/t" : `/v2/a/manifests/${digests[i]}`),
          api.send("GET", "/v2/a/manifests/t"),
        ]),
      );
      for (const { status } of answers) assert.ok([200, 201, 202, 404].includes(status), String(status));
      const left = await api.send("GET", "/v2/a/manifests/t");
      const { tags } = json(await api.send("GET", "/v2/a/tags/list")) as { tags: string[] };
      assert.deepEqual(tags, left.status === 200 ? ["t"] : []);
      if (left.status === 200) assert.ok(manifests.some((bytes) => bytes.equals(left.body)));
      else assert.equal(left.status, 404);
    }
  });

  test("that create one tag only where it is new let exactly one through", async () => {
    await using api = await open();
    const documents = await Promise.all(
      Array.from({ length: 8 }, (_, i) => imageDocument(api, "a", { extra: { annotations: { i: String(i) } } })),
    );
    const answers = await Promise.all(
      documents.map((body) => putManifest(api, "a", "t", body, MediaType.ociManifest, { "If-None-Match": "*" })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, 412, 412, 412, 412, 412, 412, 412]);
    const winner = answers.find(({ status }) => status === 201)?.headers["docker-content-digest"];
    assert.equal((await api.send("GET", "/v2/a/manifests/t")).headers["docker-content-digest"], winner);
  });
});

/** @returns the session's URL to go on with */
async function take(api: Api, session: string, how: Turn, length: number): Promise<string> {
  const offset = offsetOf(session);
  const chunk = BYTES.subarray(offset, offset + length);
  switch (how) {
    case "announced":
      return locationOf(await api.send("PATCH", session, { body: chunk }));
    case "streamed":
      return locationOf(await api.send("PATCH", session, { body: [chunk.subarray(0, 10), chunk.subarray(10)] }));
    case "ranged": {
      const headers = { "Content-Range": `${offset}-${offset + chunk.length - 1}` };
      return chunk.length === 0 ? session : locationOf(await api.send("PATCH", session, { headers, body: chunk }));
    }
    case "interrupted": {
      const head = `PATCH ${session} HTTP/1.1\r\nHost: x\r\nContent-Length: ${BYTES.length + 1}\r\n\r\n`;
      await api.raw(Buffer.concat([Buffer.from(head), chunk]), "leave");
      return locationOf(await api.send("PATCH", locationOf(await api.send("GET", session)), { body: "" }));
    }
    case "stale": {
      const answer = await api.send("PATCH", session, { body: chunk });
      if (chunk.length > 0) assert.equal((await api.send("PATCH", session, { body: chunk })).status, 416);
      return locationOf(answer);
    }
    case "misplaced": {
      const headers = { "Content-Range": `${offset + 1}-${offset + length + 1}` };
      const answer = await api.send("PATCH", session, { headers, body: BYTES.subarray(0, length + 1) });
      assert.equal(answer.status, 416);
      return locationOf(answer);
    }
  }
}

/** Bytes of the session as its token tells, which is clear where `Range: 0-0` is not. */
function offsetOf(session: string): number {
  const token = Buffer.from(new URL(session, "http://none").searchParams.get("_state") ?? "", "base64url");
  return (JSON.parse(token.subarray(32).toString()) as { Offset: number }).Offset;
}
