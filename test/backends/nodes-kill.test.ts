import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inForm, KIB, MIB } from "../faults/form.ts";
import { type ChunkSizes, ResumablePush } from "../faults/resumable-push.ts";
import { Seeded } from "../faults/seeded.ts";
import { unlessDebian } from "../setup.ts";
import { ContainerTools } from "../support/container-tools.ts";
import { type Image, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type CacheKind, type Node, type Nodes, openNodes } from "../support/nodes.ts";
import { writeOciLayout } from "../support/oci-layout.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { bulkyImage } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { unlessGateway } from "../support/versitygw.ts";
import { Outages } from "./outages.ts";

/** At least; as many more as it takes until an upload was cut off. */
const KILLS = inForm(4, 60);
/** Answers to all clients together from one change of a node to the next: no more than this. */
const LONGEST_WAIT = 60;
/** Below the least part of S3, and above: the driver has a way for each. */
const CHUNKS: readonly ChunkSizes[] = [
  { least: 1000, end: 900_000 },
  { least: 5 * MIB, end: 8 * MIB },
  { least: 1000, end: 7 * MIB },
];

const CACHES: Readonly<Record<CacheKind, string>> = { redis: "one Redis", inmemory: "caches in memory" };

describe("two nodes behind nginx", { skip: unlessGateway() || unlessDebian("nginx", "redis-server", "skopeo") }, () => {
  for (const [cache, what] of Object.entries(CACHES) as [CacheKind, string][]) {
    test(`with ${what} lose and mistake nothing while each is killed in turn, ${KILLS} times or more`, async (t) => {
      await using nodes = await openNodes(cache);
      await using skopeo = await openSkopeo(nodes);
      const outages = new Outages();
      const http = new RegistryClient(nodes.nginx.url, outages.fetch);
      const clients = CHUNKS.map((chunk, index) => new NodesClient(http, outages, index, chunk));
      let isOver = false;
      const steps = [...clients.map((client) => client.push), () => outages.persist(skopeo.roundTrip)];
      const working = steps.map((step) => async () => {
        while (!isOver) await step();
      });
      const killing = async (): Promise<void> => {
        try {
          await killInTurn(nodes.members, outages, () => sum(clients, "resumed") > 0);
        } finally {
          isOver = true;
        }
      };
      await outages.together([killing, ...working]);
      for (const direct of nodes.direct) for (const client of clients) await client.check(direct);
      const [pushed, resumed] = [sum(clients, "pushed"), sum(clients, "resumed")];
      t.diagnostic(`${pushed} images pushed, ${resumed} uploads resumed, ${skopeo.trips()} round trips of skopeo`);
    });
  }
});

async function killInTurn(members: readonly Node[], outages: Outages, isEnough: () => boolean): Promise<void> {
  const random = new Seeded(3);
  for (let kill = 0; kill < KILLS || !isEnough(); kill += 1) {
    await outages.pass(random.whole(1, LONGEST_WAIT));
    const node = members[kill % members.length] as Node;
    outages.begin();
    await node.kill();
    await outages.pass(random.whole(1, LONGEST_WAIT));
    await node.restart();
    outages.end();
  }
}

function sum(clients: readonly NodesClient[], figure: "pushed" | "resumed"): number {
  return clients.reduce((total, client) => total + client[figure], 0);
}

/** Pushes images one after the other to a repository of its own, and pulls what was acknowledged. */
class NodesClient {
  readonly #http: RegistryClient;
  readonly #outages: Outages;
  readonly #repository: string;
  readonly #chunk: ChunkSizes;
  readonly #random: Seeded;
  readonly #images: Image[] = [];
  readonly #tags: Map<string, Image> = new Map();
  resumed = 0;

  constructor(http: RegistryClient, outages: Outages, index: number, chunk: ChunkSizes) {
    this.#http = http;
    this.#outages = outages;
    this.#repository = `client/number-${index}`;
    this.#chunk = chunk;
    this.#random = new Seeded(100 + index);
  }

  get pushed(): number {
    return this.#images.length;
  }

  /** One image, and then a pull of it and of another one. */
  readonly push = async (): Promise<void> => {
    const push = new ResumablePush(this.#repository, `tag-${this.pushed % 3}`, this.#nextImage(), this.#chunk);
    await this.#outages.persist(() => push.run(this.#http, this.#random));
    this.resumed += push.resumed;
    this.#images.push(push.image);
    this.#tags.set(push.tag, push.image);
    await this.#outages.persist(() => this.#http.expectImage(this.#repository, push.tag, push.image));
    await this.#outages.persist(() => this.#expect(this.#http, this.#random.pick(this.#images)));
  };

  async check(direct: RegistryClient): Promise<void> {
    for (const image of this.#images) await this.#expect(direct, image);
    assert.deepEqual(await direct.tags(this.#repository), [...this.#tags.keys()].sort());
    for (const [tag, image] of this.#tags) await direct.expectManifest(this.#repository, tag, image.manifest);
  }

  async #expect(http: RegistryClient, image: Image): Promise<void> {
    await http.expectImage(this.#repository, image.manifest.descriptor.digest, image);
  }

  #nextImage(): Image {
    const sizes = [this.#random.whole(10, 200 * KIB), this.#random.whole(MIB, MIB + this.#chunk.end)];
    return imageOf(sizes.map((size) => layerOfArchive(noise(size, this.#random.whole(0, 2 ** 30)), "none")));
  }
}

interface Skopeo extends AsyncDisposable {
  /** An image that nobody has yet goes in, and out again. */
  readonly roundTrip: () => Promise<void>;
  readonly trips: () => number;
}

async function openSkopeo({ nginx }: Nodes): Promise<Skopeo> {
  const folder = await temporaryFolder("nodes");
  const tools = await ContainerTools.create(folder);
  let trips = 0;
  const roundTrip = async (): Promise<void> => {
    const [layout, name] = [folder.join(`layout-${trips}`), `docker://${nginx.host}/skopeo:v${trips}`];
    await writeOciLayout(layout, { v: bulkyImage(2 * MIB, 7000 + trips) });
    await noFalseWord(tools.skopeo("copy", "--preserve-digests", `oci:${layout}:v`, name));
    await noFalseWord(tools.skopeo("copy", "--preserve-digests", name, `oci:${folder.join(`back-${trips}`)}:v`));
    trips += 1;
  };
  return { roundTrip, trips: () => trips, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** It may fail in an outage, but not because of something that is not so. */
async function noFalseWord(copy: Promise<string>): Promise<void> {
  try {
    await copy;
  } catch (error) {
    assert.doesNotMatch(String(error), /manifest unknown|blob unknown|digest did not match|digest invalid|\b500\b/i);
    throw error;
  }
}
