/** Debian's docker-registry and we over one bucket, in turn and at once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { type Content, contentOf, noise } from "../support/image.ts";
import type { Upload } from "../support/registry-client.ts";
import type { RegistryKind } from "../support/registry-process.ts";
import { bulkyImage } from "../support/samples.ts";
import { DIRECTIONS, openRegistryOn, type RunningRegistry } from "../support/swap.ts";
import { type Gateway, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;

/** Where an upload is cut: the peers, and we, have other ways below 5 MiB, the least part of S3, and at 10, our own. */
const CUTS: Readonly<Record<string, readonly number[]>> = {
  "a few bytes": [300, 701, 1003, 1500],
  "less than a part of S3": [MIB + 1, 2 * MIB + 3, 4 * MIB, 4 * MIB + 9],
  "short parts behind long ones": [6 * MIB, 6 * MIB + 5, 7 * MIB + 1, 19 * MIB],
  "whole parts": [10 * MIB, 20 * MIB, 25 * MIB, 30 * MIB + 7],
};

describe("two registries over one bucket", { skip: unlessDebian("docker-registry") }, () => {
  let gateway: Gateway;
  let running: Readonly<Record<RegistryKind, RunningRegistry>>;
  before(async () => {
    gateway = await startGateway();
    const parameters = gateway.parameters({ rootdirectory: "shared", secure: false });
    running = {
      wharfinger: await openRegistryOn("wharfinger", parameters),
      "docker-registry": await openRegistryOn("docker-registry", parameters),
    };
  });
  after(async () => {
    for (const registry of Object.values(running)) await registry[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  for (const [first, second] of DIRECTIONS) {
    for (const [what, cuts] of Object.entries(CUTS)) {
      test(`an upload that ${first} begins goes on in ${second} and back, in pieces of ${what}`, async () => {
        const layer = layerOf(cuts.at(-1) ?? 0);
        let upload: Upload = await running[first].http.startUpload("to/and/fro");
        for (const [i, cut] of cuts.entries()) {
          const { http } = running[i % 2 === 0 ? second : first];
          upload = await http.append(await http.uploadStatus(upload), layer.bytes.subarray(cuts[i - 1] ?? 0, cut));
        }
        await running[first].http.finishUpload(upload, layer.descriptor.digest);
        for (const { http } of Object.values(running)) await http.expectBlob("to/and/fro", layer);
      });
    }

    test(`what ${first} got ${second} finishes, with the last bytes and without`, async () => {
      for (const rest of [0, 100]) {
        const layer = layerOf(11 * MIB + rest);
        const upload = await running[first].http.startUpload("finished");
        const got = await running[first].http.append(upload, layer.bytes.subarray(0, 11 * MIB));
        await running[second].http.finishUpload(got, layer.descriptor.digest, layer.bytes.subarray(11 * MIB));
        for (const { http } of Object.values(running)) await http.expectBlob("finished", layer);
      }
    });

    test(`wrong bytes that ${first} got are refused by ${second}`, async () => {
      const [layer, other] = [layerOf(2000), layerOf(2001)];
      const upload = await running[first].http.append(await running[first].http.startUpload("wrong"), layer.bytes);
      const answer = await running[second].http.tryFinish(upload, other.descriptor.digest);
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /DIGEST_INVALID/);
    });

    test(`a session that ${first} began and ${second} cancels is gone from both`, async () => {
      const upload = await running[first].http.append(
        await running[first].http.startUpload("cancelled"),
        layerOf(6 * MIB).bytes,
      );
      assert.equal((await running[second].http.at(upload, { method: "DELETE" })).status, 204);
      for (const { http } of Object.values(running)) {
        assert.equal((await http.at(upload, { method: "PATCH" })).status, 404);
      }
    });

    test(`what ${first} acknowledged is in ${second} at once`, async () => {
      for (let seed = 0; seed < 3; seed += 1) {
        const image = bulkyImage(1000 + seed * 6 * MIB, 200 + seed);
        await running[first].http.push(`at-once/${first}`, `v${seed}`, image);
        await running[second].http.expectImage(`at-once/${first}`, `v${seed}`, image);
      }
      assert.deepEqual(await running[second].http.tags(`at-once/${first}`), ["v0", "v1", "v2"]);
      assert.ok((await running[second].http.catalog()).includes(`at-once/${first}`));
      await running[second].http.delete(
        `at-once/${first}`,
        "manifests",
        bulkyImage(1000, 200).manifest.descriptor.digest,
      );
      assert.deepEqual(await running[first].http.tags(`at-once/${first}`), ["v1", "v2"]);
    });
  }
});

let seed = 5000;

function layerOf(length: number): Content {
  seed += 1;
  return contentOf(noise(length, seed), "application/octet-stream");
}
