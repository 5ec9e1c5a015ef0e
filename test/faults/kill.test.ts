import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Content, Image } from "../support/image.ts";
import { imageOf, layerOfArchive, noise } from "../support/image.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { inForm, KIB, MIB } from "./form.ts";
import { ResumablePush } from "./resumable-push.ts";
import { Seeded } from "./seeded.ts";
import { StoredFiles } from "./stored-files.ts";

const KILLS = inForm(12, 60);
/** How clients push at the same time, each to its own repository, over and over to the same three tags. */
const LOADS: readonly Load[] = [
  { what: "images in pieces", clients: 4, isSmall: false },
  { what: "small images", clients: 8, isSmall: true }, // as the benchmark does
];
/** ms from the first request to the kill. */
const LATEST_KILL = 400;

interface Load {
  readonly what: string;
  readonly clients: number;
  /** Pushes all blobs of an image at once, none of them larger than 4 KiB. */
  readonly isSmall: boolean;
}

for (const load of LOADS) {
  const title = `nothing acknowledged is lost and nothing half-written is served over ${KILLS} kills at random points`;
  test(`${title}: ${load.what}`, (t) => pushOverKills(t, load));
}

async function pushOverKills(t: TestContext, { clients: count, isSmall }: Load): Promise<void> {
  await using folder = await temporaryFolder("kill");
  const clients = Array.from({ length: count }, (_, index) => new PushingClient(index, isSmall));
  const random = new Seeded(1);
  const isEnough = (): boolean => sum(clients, "pushed") > count; // some time on a busy machine
  for (let kill = 1; kill <= KILLS || (kill <= 5 * KILLS && !isEnough()); kill += 1) {
    const registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
    await using end = new AsyncDisposableStack();
    end.use(registry);
    await checkAll(clients, registry);
    await pushUntilKilled(clients, registry, random.whole(0, LATEST_KILL));
    await new StoredFiles(folder.path).expectWhole();
  }
  await using registry = await startRegistry("wharfinger", { rootDirectory: folder.path });
  const http = new RegistryClient(registry.url);
  await Promise.all(clients.map((client) => client.finish(http)));
  await checkAll(clients, registry);
  for (const client of clients) await client.checkImages(http);
  const [pushed, resumed] = [sum(clients, "pushed"), sum(clients, "resumed")];
  t.diagnostic(`${pushed} images pushed, ${resumed} uploads resumed`);
  assert.ok(pushed > count && (isSmall || resumed > 0), `${pushed} images pushed, ${resumed} uploads resumed`);
}

async function pushUntilKilled(
  clients: readonly PushingClient[],
  registry: RegistryProcess,
  delay: number,
): Promise<void> {
  const http = new RegistryClient(registry.url);
  let isKilled = false;
  const pushes = clients.map(async (client) => {
    try {
      for (;;) await client.pushNext(http);
    } catch (error) {
      if (!isKilled || error instanceof assert.AssertionError) throw error;
    }
  });
  await Promise.race([pause(delay), ...pushes]);
  isKilled = true;
  await registry.kill();
  await Promise.all(pushes);
}

async function checkAll(clients: readonly PushingClient[], registry: RegistryProcess): Promise<void> {
  const http = new RegistryClient(registry.url);
  await Promise.all(clients.map((client) => client.check(http)));
}

function sum(clients: readonly PushingClient[], figure: "pushed" | "resumed"): number {
  return clients.reduce((total, client) => total + client[figure], 0);
}

/** Pushes one image after the other and remembers what must be there. */
class PushingClient {
  readonly #repository: string;
  readonly #random: Seeded;
  readonly #isSmall: boolean;
  /** What each tag may point at: the image last acknowledged, and the one whose push was cut off. */
  readonly #tags: Map<string, Image[]> = new Map();
  readonly #images: Image[] = [];
  #blobs: Content[] = [];
  #push: ResumablePush | undefined;
  #count = 0;
  #resumed = 0;

  constructor(index: number, isSmall: boolean) {
    this.#isSmall = isSmall;
    this.#repository = `client/number-${index}`;
    this.#random = new Seeded(100 + index);
  }

  get pushed(): number {
    return this.#images.length;
  }

  get resumed(): number {
    return this.#resumed;
  }

  async pushNext(http: RegistryClient): Promise<void> {
    this.#push ??= this.#nextPush();
    const { tag, image } = this.#push;
    try {
      await (this.#isSmall ? this.#push.runAtOnce(http) : this.#push.run(http, this.#random));
    } finally {
      this.#noteBlobs(this.#push);
    }
    this.#resumed += this.#push.resumed;
    this.#push = undefined;
    this.#tags.set(tag, [image]);
    this.#images.push(image);
  }

  /** Brings the push that was cut off to its end. */
  async finish(http: RegistryClient): Promise<void> {
    if (this.#push) await this.pushNext(http);
  }

  async check(http: RegistryClient): Promise<void> {
    for (const image of this.#images) {
      await http.expectManifest(this.#repository, image.manifest.descriptor.digest, image.manifest);
    }
    for (const blob of this.#blobs) await http.expectBlob(this.#repository, blob);
    const listed = this.#images.length === 0 ? [] : await http.tags(this.#repository);
    for (const [tag, images] of this.#tags) {
      if (this.#images.length > 0 && images.some((image) => this.#images.includes(image)))
        assert.ok(listed.includes(tag));
      if (listed.includes(tag)) await this.#checkTag(http, tag, images);
    }
    assert.ok(listed.every((tag) => this.#tags.has(tag)));
    this.#blobs = []; // later rounds look at their bytes in the storage
  }

  async checkImages(http: RegistryClient): Promise<void> {
    for (const image of this.#images) await http.expectImage(this.#repository, image.manifest.descriptor.digest, image);
  }

  /** It resolves, to one of the images that it may point at, whole. */
  async #checkTag(http: RegistryClient, tag: string, images: readonly Image[]): Promise<void> {
    const digest = (await http.request(`${this.#repository}/manifests/${tag}`)).headers.get("Docker-Content-Digest");
    const image = images.find(({ manifest }) => manifest.descriptor.digest === digest);
    assert.ok(image, `the tag ${tag} points at ${digest}`);
    await http.expectImage(this.#repository, tag, image);
  }

  #nextPush(): ResumablePush {
    this.#count += 1;
    const tag = `tag-${this.#count % 3}`;
    const sizes = Array.from({ length: this.#random.whole(1, 4) }, () => this.#size());
    const layers = sizes.map((size) => layerOfArchive(noise(size, this.#random.whole(0, 2 ** 30)), "none"));
    const push = new ResumablePush(this.#repository, tag, imageOf(layers));
    this.#tags.set(tag, [...(this.#tags.get(tag) ?? []), push.image]);
    return push;
  }

  #size(): number {
    if (this.#isSmall) return this.#random.whole(10, 4 * KIB);
    return this.#random.chance(0.3) ? this.#random.whole(MIB, 3 * MIB) : this.#random.whole(10, 200 * KIB);
  }

  #noteBlobs({ image, acknowledged }: ResumablePush): void {
    this.#blobs.push(...image.blobs.filter(({ descriptor }) => acknowledged.has(descriptor.digest)));
  }
}
