import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { canStage } from "../../src/storage/driver.ts";
import { registryContract } from "../contract/registry.ts";
import { type Api, startApi } from "../support/api.ts";
import {
  descriptorOf,
  expectError,
  json,
  locationOf,
  noise,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  sameBytes,
  startUpload,
} from "../support/api-content.ts";

const BYTES = noise(30_000);

registryContract("two servers on one storage", (open) => {
  test("take turns with one upload, whoever began it", async () => {
    await using one = await open();
    await using two = await startApi(one.driver);
    const servers = [one, two] as const;
    const turns = fc.array(fc.record({ server: fc.nat({ max: 1 }), length: fc.nat({ max: 8000 }) }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        turns,
        fc.nat({ max: 1 }),
        fc.constantFrom("sha256", "sha512"),
        async (parts, last, algorithm) => {
          let session = await startUpload(one, "a");
          let sent = 0;
          for (const { server, length } of parts) {
            const chunk = BYTES.subarray(sent, sent + length);
            sent += chunk.length;
            session = locationOf(await (servers[server] as Api).send("PATCH", session, { body: chunk }));
          }
          const digest = digestOf(BYTES, algorithm);
          const finish = servers[last] as Api;
          const answer = await finish.send("PUT", `${session}&digest=${digest}`, { body: BYTES.subarray(sent) });
          assert.equal(answer.status, 201, answer.body.toString());
          for (const { send } of servers) sameBytes((await send("GET", locationOf(answer))).body, BYTES);
          await finish.send("DELETE", locationOf(answer));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("that get bytes for one session at once acknowledge no more than one, and make no blob of a mixture", async () => {
    await using one = await open();
    await using two = await startApi(one.driver);
    for (let round = 0; round < 5; round++) {
      const session = await startUpload(one, "a");
      const answers = await Promise.all([one, two].map(({ send }) => send("PATCH", session, { body: BYTES })));
      const taken = answers.filter(({ status }) => status === 202);
      const most = canStage(one.driver) ? 2 : 1; // whose parts replace each other's, but no part is lost unnoticed
      assert.ok(taken.length <= most && answers.every(({ status }) => status === 202 || status === 416));
      const state = await one.send("GET", session);
      const received = Number(String(state.headers["range"]).slice(2)) + 1;
      const digest = digestOf(BYTES);
      const answer = await two.send("PUT", `${locationOf(state)}&digest=${digest}`, { body: BYTES.subarray(received) });
      assert.ok([201, 400].includes(answer.status), `${answer.status} ${answer.body}`);
      const found = await one.send("GET", `/v2/a/blobs/${digest}`);
      if (answer.status === 201) sameBytes(found.body, BYTES);
      else expectError(found, 404, "BLOB_UNKNOWN");
      if (answer.status === 201) await one.send("DELETE", `/v2/a/blobs/${digest}`);
    }
  });

  test("see each other's tags, manifests, blobs and deletions at once", async () => {
    await using one = await open();
    await using two = await startApi(one.driver);
    const image = await pushImage(one, "a", { reference: "t" });
    for (const target of ["manifests/t", `manifests/${image.digest}`]) {
      sameBytes((await two.send("GET", `/v2/a/${target}`)).body, image.bytes);
    }
    const other = await pushImage(two, "a", { reference: "t", layers: [BYTES] });
    sameBytes((await one.send("GET", "/v2/a/manifests/t")).body, other.bytes);
    assert.equal((await two.send("DELETE", "/v2/a/manifests/t")).status, 202);
    expectError(await one.send("GET", "/v2/a/manifests/t"), 404, "MANIFEST_UNKNOWN");
    assert.deepEqual(json(await one.send("GET", "/v2/a/tags/list")), { name: "a", tags: [] });
    assert.equal((await one.send("DELETE", `/v2/a/manifests/${other.digest}`)).status, 202);
    expectError(await two.send("GET", `/v2/a/manifests/${other.digest}`), 404, "MANIFEST_UNKNOWN");
    const digest = await pushBlob(two, "b", BYTES);
    assert.equal((await one.send("HEAD", `/v2/b/blobs/${digest}`)).status, 200);
    assert.deepEqual(json(await one.send("GET", "/v2/_catalog")), { repositories: ["a", "b"] });
    assert.equal((await one.send("DELETE", `/v2/b/blobs/${digest}`)).status, 202);
    assert.equal((await two.send("GET", `/v2/b/blobs/${digest}`)).status, 404);
  });

  test("see each other's referrers at once", async () => {
    await using one = await open();
    await using two = await startApi(one.driver);
    const subject = await pushImage(one, "a");
    const list = async ({ send }: Api): Promise<readonly string[]> => {
      const answer = await send("GET", `/v2/a/referrers/${subject.digest}`);
      return (JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] }).manifests.map((m) => m.digest);
    };
    for (const [writer, reader] of [
      [one, two],
      [two, one],
    ] as const) {
      const before = await list(reader);
      const extra = { subject: descriptorOf(subject), annotations: { at: String(writer.port) } };
      const referrer = await pushImage(writer, "a", { extra });
      assert.deepEqual(await list(reader), [...before, referrer.digest].sort());
      assert.equal((await reader.send("DELETE", `/v2/a/manifests/${referrer.digest}`)).status, 202);
      assert.deepEqual(await list(writer), before);
      await pushManifest(writer, "a", referrer.document);
      assert.deepEqual(await list(reader), [...before, referrer.digest].sort());
    }
  });

  test("push and delete one tag at once and agree on what is left", async () => {
    // Gateways over folders may fail while a folder goes; 503 is what a client is told then.
    await using one = await open({ faulty: true });
    await using two = await startApi(one.driver, { faulty: true });
    const image = await pushImage(one, "a");
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([
        putManifest(one, "a", "t", image.bytes, MediaType.ociManifest),
        two.send("DELETE", "/v2/a/manifests/t"),
        putManifest(two, "a", "t", image.bytes, MediaType.ociManifest),
      ]);
      for (const { status } of answers) assert.ok([201, 202, 404, 503].includes(status), String(status));
      const seen = await Promise.all([one, two].map(({ send }) => send("GET", "/v2/a/manifests/t")));
      assert.equal(seen[0]?.status, seen[1]?.status);
      const { tags } = json(await one.send("GET", "/v2/a/tags/list")) as { tags: string[] };
      assert.deepEqual(tags, seen[0]?.status === 200 ? ["t"] : []);
    }
  });
});
