/** Bytes are shared by repositories, and the right to read them is not: nothing of another repository can be had or learnt. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryCache } from "../../src/cache/memory.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import type { Answer, Api } from "../support/api.ts";
import {
  expectError,
  imageDocument,
  indexOf,
  json,
  pushImage,
  pushManifest,
  putManifest,
  unchanged,
} from "../support/api-content.ts";
import { repository } from "../support/tokens.ts";
import { openTokenPlace, type TokenPlace } from "./token-place.ts";

const SECRET = Buffer.from("nobody else's");
const DIGEST = digestOf(SECRET);

/** Whether there is a cache, and whether somebody who may has filled it. */
const CACHES = { "without a cache": undefined, "with a warm cache": 100 } as const;

interface Repositories extends AsyncDisposable {
  /** May do everything to `mine` and nothing else. */
  readonly me: Api;
  /** A manifest of `theirs`, with a layer {@link SECRET}. */
  readonly image: Awaited<ReturnType<typeof pushImage>>;
  readonly place: TokenPlace;
}

async function open(entries: number | undefined): Promise<Repositories> {
  const place = await openTokenPlace(entries === undefined ? {} : { cache: new MemoryCache({ entries }) });
  const them = await place.as([repository("theirs", "*")]);
  const me = await place.as([repository("mine", "*")]);
  const image = await pushImage(them, "theirs", { reference: "t", layers: [SECRET] });
  await pushImage(me, "mine", { reference: "t" });
  for (const path of [`blobs/${DIGEST}`, `manifests/${image.digest}`, "manifests/t"]) {
    for (const method of ["HEAD", "GET"]) assert.equal((await them.send(method, `/v2/theirs/${path}`)).status, 200);
  }
  return { me, image, place, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

for (const [cache, entries] of Object.entries(CACHES)) {
  describe(`another repository, ${cache}`, () => {
    test("CVE-2024-39897: its blobs and manifests are not in mine, by GET or by HEAD", async () => {
      await using repositories = await open(entries);
      const { me, image } = repositories;
      for (const method of ["GET", "HEAD", "DELETE"]) {
        for (const path of [`blobs/${DIGEST}`, `blobs/${image.digest}`, `manifests/${image.digest}`]) {
          assert.equal((await me.send(method, `/v2/mine/${path}`)).status, 404, `${method} ${path}`);
          assert.equal((await me.send(method, `/v2/theirs/${path}`)).status, 401, `${method} ${path}`);
        }
      }
      assert.equal((await me.send("GET", "/v2/theirs/tags/list")).status, 401);
    });

    test("CVE-2024-39897: a mount of what I may not read is refused, or an upload", async () => {
      await using repositories = await open(entries);
      const { me, place } = repositories;
      const uploads = "/v2/mine/blobs/uploads/";
      await unchanged(place.api, async () => {
        for (const query of [
          `?mount=${DIGEST}&from=theirs`,
          `?from=theirs&mount=${DIGEST}`,
          `?mount=${DIGEST}&from=%74heirs`,
          `?mount=${DIGEST}&from=theirs&from=mine`,
          `?mount=${DIGEST}&%66rom=theirs`,
          `?digest=${DIGEST}&from=theirs`,
        ]) {
          const answer = await me.send("POST", uploads + query);
          assert.equal(answer.status, 401, query);
          assert.match(answer.headers["www-authenticate"] ?? "", /repository:theirs:pull/);
        }
      });
      for (const query of [
        `?mount=${DIGEST}`,
        `?mount=${DIGEST}&from=mine`,
        `?mount=${DIGEST}&from=mine&from=theirs`,
        `?mount=${DIGEST}&from=`,
        `?mount=${DIGEST}&From=theirs`,
        `?digest=${DIGEST}`,
      ]) {
        assert.equal((await me.send("POST", uploads + query)).status, 202, query);
      }
      const form = { headers: { "Content-Type": "application/x-www-form-urlencoded" } };
      const posted = await me.send("POST", uploads, { ...form, body: `mount=${DIGEST}&from=theirs` });
      assert.equal(posted.status, 202);
      assert.equal((await me.send("HEAD", `/v2/mine/blobs/${DIGEST}`)).status, 404);
    });

    test("CVE-2024-39897: an upload without bytes makes no blob of theirs mine", async () => {
      await using repositories = await open(entries);
      const { me } = repositories;
      const { location = "" } = (await me.send("POST", "/v2/mine/blobs/uploads/")).headers;
      for (let round = 0; round < 2; round += 1) {
        expectError(await me.send("PUT", `${location}&digest=${DIGEST}`), 400, "DIGEST_INVALID");
      }
      assert.equal((await me.send("HEAD", `/v2/mine/blobs/${DIGEST}`)).status, 404);
    });

    test("CVE-2024-39897: a manifest of mine cannot refer to what is theirs alone", async () => {
      await using repositories = await open(entries);
      const { me, image, place } = repositories;
      const mine = await imageDocument(me, "mine");
      const [layer] = image.document["layers"] as [object];
      await unchanged(place.api, async () => {
        for (const [document, type] of [
          [{ ...mine, layers: [layer] }, MediaType.ociManifest],
          [{ ...mine, config: layer }, MediaType.ociManifest],
          [image.document, MediaType.ociManifest],
          [indexOf([image]), MediaType.ociIndex],
        ] as const) {
          const answer = await putManifest(me, "mine", "x", document, type);
          assert.equal(answer.status, 400);
          assert.match(answer.body.toString(), /MANIFEST_BLOB_UNKNOWN/);
        }
      });
    });

    test("CVE-2024-39897: referrers are told where they are, and a subject elsewhere makes none there", async () => {
      await using repositories = await open(entries);
      const { me, image, place } = repositories;
      const them = await place.as([repository("theirs", "*")]);
      const subject = { mediaType: MediaType.ociManifest, digest: image.digest, size: image.bytes.length };
      const theirs = { ...image.document, subject };
      await pushManifest(them, "theirs", theirs);
      const path = `referrers/${image.digest}`;
      assert.equal((await me.send("GET", `/v2/theirs/${path}`)).status, 401);
      assert.deepEqual(referrersOf(await me.send("GET", `/v2/mine/${path}`)), []);
      const mine = await imageDocument(me, "mine", { extra: { subject } });
      await pushManifest(me, "mine", mine);
      assert.equal(referrersOf(await me.send("GET", `/v2/mine/${path}`)).length, 1);
      assert.equal(referrersOf(await them.send("GET", `/v2/theirs/${path}`)).length, 1);
    });

    test("an upload belongs to its repository: elsewhere its id and its _state are nobody's", async () => {
      await using repositories = await open(entries);
      const { me, place } = repositories;
      const them = await place.as([repository("theirs", "*")]);
      const { location = "" } = (await them.send("POST", "/v2/theirs/blobs/uploads/")).headers;
      const foreign = new URL(location).pathname.replace("theirs", "mine") + new URL(location).search;
      await unchanged(place.api, async () => {
        for (const method of ["GET", "HEAD", "PATCH", "PUT", "POST", "DELETE"]) {
          const target = `${foreign}&digest=${DIGEST}`;
          const { status } = await me.send(method, target, method === "PATCH" ? { body: "x" } : {});
          assert.equal(status, 404, method);
        }
      });
    });
  });
}

function referrersOf(answer: Answer): readonly unknown[] {
  return (json(answer) as { manifests: readonly unknown[] }).manifests;
}
