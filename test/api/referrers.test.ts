import assert from "node:assert/strict";
import { test } from "node:test";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, digestOf, parseDigest } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { parseRepositoryName } from "../../src/oci/names.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { StorageFull } from "../../src/storage/errors.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { registryContract } from "../contract/registry.ts";
import { type Api, startApi } from "../support/api.ts";
import {
  type Document,
  descriptorOf,
  expectError,
  imageDocument,
  indexOf,
  type Pushed,
  pushImage,
  pushManifest,
  unchanged,
} from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";
import { failingDriver } from "../support/failing-driver.ts";

const PATHS = new PathMapper();

const ABSENT = parseDigest(`sha256:${"d".repeat(64)}`);
const REPOSITORY = parseRepositoryName("a");

registryContract("the referrers", (open) => {
  test("of anything are an index, also of what nobody has and in no repository", async () => {
    await using api = await open();
    for (const target of [`a/referrers/${ABSENT}`, `none/x/referrers/sha512:${"e".repeat(128)}`]) {
      const answer = await unchanged(api, () => api.send("GET", `/v2/${target}`));
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], MediaType.ociIndex);
      assert.equal(
        answer.body.toString(),
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}\n',
      );
      assert.equal(answer.headers.link, undefined);
      assert.equal(answer.headers["oci-filters-applied"], undefined);
      const head = await api.send("HEAD", `/v2/${target}`);
      assert.equal(head.status, 200);
      assert.equal(head.headers["content-length"], String(answer.body.length));
    }
  });

  test("of what is no digest are refused", async () => {
    await using api = await open();
    for (const text of [
      "sha256:x",
      "tag",
      "latest",
      `md5:${"a".repeat(32)}`,
      "sha256%3A..",
      `sha256:${"F".repeat(64)}`,
    ]) {
      expectError(await api.send("GET", `/v2/a/referrers/${text}`), 400, "DIGEST_INVALID");
    }
  });

  test("are described with type and annotations, in the order of their digests", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const by = { subject: descriptorOf(subject) };
    const annotations = { "org.example.key": "välue" };
    const typed = await pushImage(api, "a", { extra: { ...by, artifactType: "application/x.sbom", annotations } });
    const untyped = await pushImage(api, "a", { extra: by });
    const index = await pushManifest(api, "a", indexOf([], by));
    const typedIndex = await pushManifest(api, "a", indexOf([], { ...by, artifactType: "application/x.list" }));
    const sha512 = await pushImage(api, "a", { algorithm: "sha512", extra: by });
    await pushImage(api, "a", { extra: { subject: { ...descriptorOf(subject), digest: ABSENT } } });
    await pushImage(api, "b", { extra: by });
    const expected = [
      { ...descriptorOf(typed), artifactType: "application/x.sbom", annotations },
      { ...descriptorOf(untyped), artifactType: "application/vnd.oci.image.config.v1+json" },
      descriptorOf(index),
      { ...descriptorOf(typedIndex), artifactType: "application/x.list" },
      { ...descriptorOf(sha512), artifactType: "application/vnd.oci.image.config.v1+json" },
    ];
    assert.deepEqual(await list(api, subject.digest), expected.toSorted(compareDigests));
  });

  test("of a subject by sha512 are found", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a", { algorithm: "sha512" });
    const referrer = await pushReferrer(api, subject);
    assert.deepEqual(await digests(api, subject.digest), [referrer.digest]);
  });

  test("are filtered by artifactType, and the answer says so", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const sbom = await pushReferrer(api, subject, { artifactType: "application/sbom+json" });
    await pushReferrer(api, subject, { artifactType: "application/sbom" });
    const target = `/v2/a/referrers/${subject.digest}?artifactType=${encodeURIComponent("application/sbom+json")}`;
    const answer = await api.send("GET", target);
    assert.equal(answer.headers["oci-filters-applied"], "artifactType");
    assert.deepEqual(
      manifestsOf(answer.body).map(({ digest }) => digest),
      [sbom.digest],
    );
    const none = await api.send("GET", `/v2/a/referrers/${subject.digest}?artifactType=none`);
    assert.equal(none.headers["oci-filters-applied"], "artifactType");
    assert.deepEqual(manifestsOf(none.body), []);
    assert.equal((await digests(api, subject.digest)).length, 2);
  });

  test("pushed before their subject are there when it comes, and stay when it is deleted", async () => {
    await using api = await open();
    const document = await imageDocument(api, "a", { extra: { annotations: { late: "yes" } } });
    const digest = digestOf(Buffer.from(JSON.stringify(document)));
    const size = JSON.stringify(document).length;
    const subject = { mediaType: MediaType.ociManifest, digest, size };
    const referrer = await pushImage(api, "a", { extra: { subject } });
    assert.deepEqual(await digests(api, digest), [referrer.digest]);
    await pushManifest(api, "a", document);
    assert.deepEqual(await digests(api, digest), [referrer.digest]);
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${digest}`)).status, 202);
    assert.deepEqual(await digests(api, digest), [referrer.digest]);
  });

  test("are gone when they are deleted, and back when they are pushed again", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const [one, two] = [await pushReferrer(api, subject, { x: 1 }), await pushReferrer(api, subject, { x: 2 })];
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${one.digest}`)).status, 202);
    assert.deepEqual(await digests(api, subject.digest), [two.digest]);
    await pushManifest(api, "a", one.document);
    assert.deepEqual(await digests(api, subject.digest), [one.digest, two.digest].sort());
  });

  test("come in pages of n with links that keep the filter, each exactly once", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const pushed: Digest[] = [];
    for (let i = 0; i < 7; i++) pushed.push((await pushReferrer(api, subject, { i, artifactType: "a/b+c" })).digest);
    await pushReferrer(api, subject, { artifactType: "other/type" });
    const found = await follow(api, `/v2/a/referrers/${subject.digest}?n=3&artifactType=a%2Fb%2Bc`, [3, 3, 1]);
    assert.deepEqual(found, pushed.sort());
    await follow(api, `/v2/a/referrers/${subject.digest}?n=8`, [8]);
    const none = await api.send("GET", `/v2/a/referrers/${subject.digest}?n=0`);
    assert.deepEqual(manifestsOf(none.body), []);
    for (const n of ["-1", "x"]) {
      const answer = await api.send("GET", `/v2/a/referrers/${subject.digest}?n=${n}`);
      expectError(answer, 400, "PAGINATION_NUMBER_INVALID");
    }
  });

  test("come in several answers where one would pass 4 MiB", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const annotations = { big: "x".repeat(1_000_000) };
    const pushed: Digest[] = [];
    for (let i = 0; i < 5; i++) pushed.push((await pushReferrer(api, subject, { i, annotations })).digest);
    assert.deepEqual(await follow(api, `/v2/a/referrers/${subject.digest}`, [4, 1]), pushed.sort());
  });

  test("pushed by a peer that knows no referrers are found, in the running server and the next", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const ours = await pushReferrer(api, subject, { by: "us" });
    assert.deepEqual(await digests(api, subject.digest), [ours.digest]);
    const theirs = await writeAsPeer(api.driver, await referrerDocument(api, subject, { by: "them" }));
    const both = [ours.digest, theirs].sort();
    assert.deepEqual(await digests(api, subject.digest), both);
    await using next = await startApi(api.driver);
    assert.deepEqual(await digests(next, subject.digest), both);
    const more = await writeAsPeer(api.driver, await referrerDocument(api, subject, { by: "them again" }));
    for (const server of [api, next]) assert.deepEqual(await digests(server, subject.digest), [...both, more].sort());
  });

  test("deleted by a peer are gone", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const referrer = await pushReferrer(api, subject);
    await api.driver.delete(PATHS.revisionLink(REPOSITORY, referrer.digest).replace(/\/link$/, ""));
    assert.deepEqual(await digests(api, subject.digest), []);
  });

  test("in a fallback tag that a client kept are found where they really name the subject", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const referrer = await writeAsPeer(api.driver, await referrerDocument(api, subject, {}));
    const stranger = await pushImage(api, "a", { extra: { annotations: { not: "a referrer" } } });
    const manifests = [referrer, stranger.digest].map((digest) => ({
      mediaType: MediaType.ociManifest,
      digest,
      size: 1,
    }));
    const fallback = await writeAsPeer(api.driver, { ...indexOf([]), manifests });
    const tag = subject.digest.replace(":", "-") as Parameters<typeof PATHS.tagCurrent>[1];
    await api.driver.putContent(PATHS.tagCurrent(REPOSITORY, tag), Buffer.from(fallback));
    assert.deepEqual(await digests(api, subject.digest), [referrer]);
  });

  test("are listed in maintenance too, without a byte being written", async () => {
    await using writing = await open();
    const subject = await pushImage(writing, "a");
    const ours = await pushReferrer(writing, subject, { by: "us" });
    const theirs = await writeAsPeer(writing.driver, await referrerDocument(writing, subject, { by: "them" }));
    await using api = await startApi(writing.driver, { readOnly: true });
    for (let i = 0; i < 2; i++) {
      const found = await unchanged(api, () => digests(api, subject.digest));
      assert.deepEqual(found, [ours.digest, theirs].sort());
    }
  });

  test("pushed by a peer in great number are read once, and the next server remembers them", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const document = await referrerDocument(api, subject, {});
    const pushed: Digest[] = [];
    for (let i = 0; i < 70; i++)
      pushed.push(await writeAsPeer(api.driver, { ...document, annotations: { i: String(i) } }));
    assert.deepEqual(await digests(api, subject.digest), pushed.sort());
    const seen = Buffer.from(await api.driver.getContent(PATHS.referrersSeen(REPOSITORY))).toString();
    assert.deepEqual(seen.split("\n").sort(), [...pushed, subject.digest].sort());
    await using next = await startApi(api.driver);
    assert.deepEqual(await unchanged(next, () => digests(next, subject.digest)), pushed);
    const more = await writeAsPeer(api.driver, { ...document, annotations: { one: "more" } });
    assert.deepEqual(await digests(next, subject.digest), [...pushed, more].sort());
  });

  test("survive entries of the table that were lost or damaged", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    const { digest } = await pushReferrer(api, subject);
    const path = PATHS.referrer(REPOSITORY, subject.digest, digest);
    const [before] = await list(api, subject.digest);
    for (const damage of ["", "{", "null", '{"digest":"x"}']) {
      await api.driver.putContent(path, Buffer.from(damage));
      await using next = await startApi(api.driver);
      for (const server of [api, next]) assert.deepEqual(await list(server, subject.digest), [before], damage);
    }
  });

  test("skip what claims to be a manifest and is none", async () => {
    await using api = await open();
    const subject = await pushImage(api, "a");
    for (const text of ["", "not JSON", "[]", '{"schemaVersion":2,"subject":"x"}']) {
      const digest = digestOf(Buffer.from(text));
      await api.driver.putContent(PATHS.blob(digest), Buffer.from(text));
      await api.driver.putContent(PATHS.revisionLink(REPOSITORY, digest), Buffer.from(digest));
    }
    await api.driver.putContent(PATHS.revisionLink(REPOSITORY, ABSENT), Buffer.from(ABSENT));
    const referrer = await pushReferrer(api, subject);
    assert.deepEqual(await digests(api, subject.digest), [referrer.digest]);
  });
});

test("referrers that a peer pushed are listed while the storage is full", async () => {
  const { driver, fail, mend } = failingDriver(new MemoryDriver());
  await using api = await startApi(driver);
  const subject = await pushImage(api, "a");
  const theirs = await writeAsPeer(driver, await referrerDocument(api, subject, {}));
  fail("putContent", () => new StorageFull("inmemory"));
  for (let i = 0; i < 2; i++) assert.deepEqual(await digests(api, subject.digest), [theirs]);
  mend();
  assert.deepEqual(await digests(api, subject.digest), [theirs]);
});

test("a referrer that a peer pushed is noticed by the time of its folder, once the registry trusts that time", async () => {
  let now = Date.UTC(2020, 0);
  await using api = await startApi(new MemoryDriver({ now: () => now++ }));
  const subject = await pushImage(api, "a");
  const found = [(await pushReferrer(api, subject, { by: "us" })).digest];
  for (const by of ["one", "two"]) {
    assert.deepEqual(await digests(api, subject.digest), found.toSorted());
    found.push(await writeAsPeer(api.driver, await referrerDocument(api, subject, { by })));
  }
  assert.deepEqual(await digests(api, subject.digest), found.toSorted());
});

/** How long ago a peer made the folder when its link comes. ms */
for (const age of [0, 100, 61_000]) {
  for (const began of ["no link", "an empty link"] as const) {
    test(`a referrer whose folder a peer made ${age} ms before, with ${began}, shows once its link is there`, async () => {
      let past = age;
      await using api = await startApi(new MemoryDriver({ now: () => Date.now() - past }));
      const subject = await pushImage(api, "a");
      const bytes = Buffer.from(JSON.stringify(await referrerDocument(api, subject, {})));
      const digest = digestOf(bytes);
      const link = PATHS.revisionLink(REPOSITORY, digest);
      await api.driver.putContent(PATHS.blob(digest), bytes);
      await api.driver.putContent(link, Buffer.alloc(0));
      if (began === "no link") await api.driver.delete(link);
      past = 0;
      for (let i = 0; i < 3; i++) assert.deepEqual(await digests(api, subject.digest), []);
      await overwrite(api.driver, link, digest);
      assert.deepEqual(await digests(api, subject.digest), [digest]);
    });
  }
}

test("referrers are listed without all revisions being read again, also where some were deleted", async () => {
  let now = Date.UTC(2020, 0);
  const { driver, count, forget } = countingDriver(new MemoryDriver({ now: () => now++ }));
  await using api = await startApi(driver);
  const subject = await pushImage(api, "a");
  const pushed = await pushReferrers(api, subject, 12);
  for (const digest of pushed.splice(0, 5)) {
    assert.equal((await api.send("DELETE", `/v2/a/manifests/${digest}`)).status, 202);
  }
  now += 1000;
  for (let i = 0; i < 3; i++) {
    forget();
    assert.deepEqual(await digests(api, subject.digest), pushed.toSorted());
  }
  assert.equal(count("list", /\/revisions\//), 0);
  assert.equal(count("reader", /./), 0);
});

test("a page of referrers reads what is on it, wherever it is", async () => {
  const { driver, count, forget } = countingDriver(new MemoryDriver());
  await using api = await startApi(driver);
  const subject = await pushImage(api, "a");
  const pushed = (await pushReferrers(api, subject, 60)).toSorted();
  forget();
  const answer = await api.send("GET", `/v2/a/referrers/${subject.digest}?n=10&last=${pushed[49]}`);
  assert.deepEqual(
    manifestsOf(answer.body).map(({ digest }) => digest),
    pushed.slice(50),
  );
  const entries = /\/_wharfinger\/referrers\/sha256\//;
  assert.equal(count("getContent", entries), 10);
});

async function pushReferrers(api: Api, subject: Pushed, many: number): Promise<Digest[]> {
  const document = await referrerDocument(api, subject, {});
  const pushed: Digest[] = [];
  for (let i = 0; i < many; i++) {
    pushed.push((await pushManifest(api, "a", { ...document, annotations: { i: String(i) } })).digest);
  }
  return pushed;
}

/** In place, as some peers write a link: the folder keeps its time where the file was there. */
async function overwrite(driver: StorageDriver, path: string, text: string): Promise<void> {
  await using writer = await driver.writer(path, { append: false });
  await writer.write(Buffer.from(text));
  await writer.commit();
}

async function referrerDocument(api: Api, subject: Pushed, extra: Document): Promise<Document> {
  return await imageDocument(api, "a", { extra: { subject: descriptorOf(subject), ...extra } });
}

async function pushReferrer(api: Api, subject: Pushed, extra: Document = {}): Promise<Pushed> {
  return await pushManifest(api, "a", await referrerDocument(api, subject, extra));
}

/** As docker/distribution stores a manifest, which knows nothing of referrers. */
async function writeAsPeer(driver: StorageDriver, document: Document): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes);
  await driver.putContent(PATHS.blob(digest), bytes);
  await driver.putContent(PATHS.revisionLink(REPOSITORY, digest), Buffer.from(digest));
  return digest;
}

async function list(api: Api, subject: Digest): Promise<readonly Descriptor[]> {
  const answer = await api.send("GET", `/v2/a/referrers/${subject}`);
  assert.equal(answer.status, 200);
  return manifestsOf(answer.body);
}

async function digests(api: Api, subject: Digest): Promise<readonly Digest[]> {
  return (await list(api, subject)).map(({ digest }) => digest);
}

function manifestsOf(body: Buffer): readonly Descriptor[] {
  return (JSON.parse(body.toString()) as { manifests: Descriptor[] }).manifests;
}

/** @returns the digests of all pages, each page of the size given and of no more than 4 MiB */
async function follow(api: Api, first: string, sizes: readonly number[]): Promise<readonly string[]> {
  const found: string[] = [];
  const seen: number[] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const answer = await api.send("GET", path);
    assert.ok(answer.body.length <= 4 * 1024 * 1024);
    const page = manifestsOf(answer.body);
    seen.push(page.length);
    found.push(...page.map(({ digest }) => digest));
    path = /^<(.*)>; rel="next"$/.exec(answer.headers.link?.toString() ?? "")?.[1];
  }
  assert.deepEqual(seen, sizes);
  return found;
}

function compareDigests(a: object, b: object): number {
  return String((a as Descriptor).digest) < String((b as Descriptor).digest) ? -1 : 1;
}
