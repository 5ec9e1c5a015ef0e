import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { contentOf, type Image, imageOf, layerOfArchive, noise } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { inForm, KIB, MIB } from "./form.ts";
import { Seeded } from "./seeded.ts";
import { StoredFiles } from "./stored-files.ts";
import { clientOf } from "./uploads.ts";

const ROUNDS = inForm(8, 60);
const TAGS = ["one", "two"];
const images = [1, 2, 3].map((seed) => imageOf([layerOfArchive(noise(1000, seed), "none")]));

for (const count of [1, 2]) {
  const where = count === 1 ? "in one process" : "in two processes on one directory";

  describe(`at once, ${where},`, () => {
    test("32 uploads of the same blob all succeed and leave one blob", async () => {
      await using place = await openPlace(count);
      const blob = contentOf(noise(2 * MIB, 7), "application/octet-stream");
      const uploads = Array.from({ length: 32 }, (_, index) => place.client(index).pushBlob("same", blob));
      await Promise.all(uploads);
      for (const http of place.clients) await http.expectBlob("same", blob);
      assert.deepEqual(await readdir(place.files.repository("same", "_uploads")), []);
      await place.files.expectWhole();
    });

    test("pushes and deletes of the same tags and manifests end in one consistent state", async () => {
      await using place = await openPlace(count);
      const random = new Seeded(count);
      await Promise.all(images.flatMap(({ blobs }) => blobs.map((blob) => place.client(0).pushBlob("same", blob))));
      for (let round = 0; round < ROUNDS; round += 1) {
        const steps = Array.from({ length: 24 }, (_, index) => step(place.client(index), random));
        for (const { what, status } of await Promise.all(steps)) {
          assert.ok([200, 201, 202, 404].includes(status), `${what} answered ${status}`);
        }
        await expectConsistent(place);
      }
      await place.files.expectWhole();
    });

    test("two clients that go on with one session never commit bytes with another digest", async (t) => {
      await using place = await openPlace(count);
      let [committed, refused] = [0, 0];
      for (let round = 0; round < ROUNDS; round += 1) {
        const statuses = await appendTwice(place, round);
        committed += statuses.filter((status) => status === 201).length;
        refused += statuses.filter((status) => status !== 201).length;
        await place.files.expectWhole();
      }
      t.diagnostic(`${committed} committed, ${refused} refused`);
      assert.ok(committed + refused === 2 * ROUNDS && refused > 0);
    });
  });
}

interface Step {
  readonly what: string;
  readonly status: number;
}

async function step(http: RegistryClient, random: Seeded): Promise<Step> {
  const [image, tag] = [random.pick(images), random.pick(TAGS)];
  const { digest, mediaType } = image.manifest.descriptor;
  const [method, reference] = random.pick([
    ["PUT", tag],
    ["PUT", tag],
    ["DELETE", tag],
    ["DELETE", digest],
    ["GET", tag],
  ] as const);
  const headers = { "Content-Type": mediaType, Accept: mediaType };
  const body = method === "PUT" ? Buffer.from(image.manifest.bytes) : null;
  const answer = await http.request(`same/manifests/${reference}`, { method, headers, body });
  await answer.bytes();
  return { what: `${method} ${reference}`, status: answer.status };
}

/** Every process lists the same tags, and each is one of the images, whole. */
async function expectConsistent({ clients, client }: Place): Promise<void> {
  const lists = await Promise.all(clients.map((http) => http.tags("same")));
  for (const tags of lists) assert.deepEqual(tags, lists[0]);
  for (const tag of lists[0] ?? []) {
    const answer = await client(0).request(`same/manifests/${tag}`);
    const digest = answer.headers.get("Docker-Content-Digest");
    assert.equal(answer.status, 200, `the tag ${tag} is listed: ${await answer.text()}`);
    await client(1).expectImage("same", tag, imageWith(digest));
  }
}

function imageWith(digest: string | null): Image {
  const image = images.find(({ manifest }) => manifest.descriptor.digest === digest);
  assert.ok(image, `${digest} is none of the images`);
  return image;
}

/** Two clients append different bytes behind the same beginning, and each commits what it believes to be there. */
async function appendTwice(place: Place, round: number): Promise<number[]> {
  const head = noise(100 * KIB, round);
  const begun = await place.client(0).append(await place.client(0).startUpload("session"), head);
  const push = async (index: number): Promise<number> => {
    const http = place.client(index);
    const rest = noise(MIB + round * 1000, 1000 + 2 * round + index);
    const { digest } = contentOf(Buffer.concat([head, rest]), "").descriptor;
    const answer = await http.tryFinish(begun, digest, rest);
    await answer.bytes();
    return answer.status;
  };
  const statuses = await Promise.all([push(0), push(1)]);
  for (const status of statuses) assert.ok([201, 400, 404, 416].includes(status), `${status}`);
  return statuses;
}

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly files: StoredFiles;
  readonly clients: readonly RegistryClient[];
  /** That of one of the processes, in turn. */
  readonly client: (index: number) => RegistryClient;
}

async function openPlace(count: number): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("at-once"));
  const registries: RegistryProcess[] = [];
  for (let index = 0; index < count; index += 1) {
    registries.push(stack.use(await startRegistry("wharfinger", { rootDirectory: folder.path })));
  }
  const clients = registries.map(clientOf);
  const end = stack.move();
  return {
    folder,
    files: new StoredFiles(folder.path),
    clients,
    client: (index) => clients[index % count] as RegistryClient,
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}
