import assert from "node:assert/strict";
import type { Digest } from "../../src/oci/digest.ts";
import { Seeded } from "../faults/seeded.ts";
import { Wire } from "../faults/wire.ts";
import { type Content, contentOf, type Image, imageOf, layerOfArchive, noise } from "../support/image.ts";
import { type Fetch, RegistryClient } from "../support/registry-client.ts";

/** How a lane's user shows who they are. */
export type Credentials = (repositories: readonly string[]) => Promise<string>;

interface Pushed {
  readonly repository: string;
  readonly tag: string;
  readonly image: Image;
}

/** Images that a lane has, each in a repository of its own choice: what is kept in memory of them is soon all there. */
const IMAGES = 30;

/** Uploads that are left at the beginning; all lanes together leave more than the server remembers. */
const LEFT = 400;

/** Requests that share one credential before the next one is asked for: what is known of a token stays for minutes. */
const LOGIN = 200;

/** A client with two repositories of its own, that does one thing after the other and knows what should have come of it. */
export class Lane {
  /** What endpoints are to be told of this lane, in this order. */
  readonly told: string[] = [];
  requests = 0;
  /** Of those, with a wrong password. */
  refused = 0;
  readonly #name: string;
  readonly #port: number;
  readonly #credentials: Credentials;
  readonly #random: Seeded;
  readonly #http: RegistryClient;
  readonly #images: readonly Pushed[];
  /** Those of the images that are in the registry. */
  readonly #there = new Set<Pushed>();
  readonly #large: Content;
  #authorization = "";

  constructor(number: number, port: number, credentials: Credentials) {
    this.#name = `soak/lane${number}`;
    this.#port = port;
    this.#credentials = credentials;
    this.#random = new Seeded(number);
    this.#large = contentOf(noise(1_000_000, number), "any");
    this.#images = Array.from({ length: IMAGES }, (_, index) => this.#image(index));
    this.#http = new RegistryClient(`http://127.0.0.1:${port}`, (url, init) => this.#send(url, init));
  }

  get repositories(): readonly string[] {
    return [`${this.#name}/a`, `${this.#name}/b`];
  }

  /** The next `count` things, of those that `WORK` has. */
  async work(count: number): Promise<void> {
    if (this.#there.size === 0) await this.#begin();
    for (let done = 0; done < count; done += 1) await this.#random.pick(this.#works)();
  }

  /** Reads everything that was acknowledged and not deleted, by its digest. */
  async readBack(): Promise<number> {
    for (const { repository, image } of this.#there) {
      await this.#http.expectImage(repository, image.manifest.descriptor.digest, image);
    }
    return this.#there.size;
  }

  readonly #works: readonly (() => Promise<void>)[] = [
    () => this.#push(),
    () => this.#push(),
    () => this.#pull(),
    () => this.#pull(),
    () => this.#pull(),
    () => this.#look(),
    () => this.#mount(),
    () => this.#delete(),
    () => this.#list(),
    () => this.#abandon(),
    () => this.#beWrong(),
    () => this.#leaveWhileSending(),
    () => this.#leaveWhileReading(),
  ];

  async #begin(): Promise<void> {
    const [repository = ""] = this.repositories;
    await this.#http.pushBlob(repository, this.#large);
    this.#tell("push", repository, this.#large.descriptor.digest);
    for (let left = 0; left < LEFT; left += 1) {
      await this.#http.append(await this.#http.startUpload(repository), Buffer.from("x"));
    }
    await this.#push();
  }

  #image(number: number): Pushed {
    const repository = this.#random.pick(this.repositories);
    const text = Buffer.from(`${repository} ${number} `.repeat(this.#random.whole(1, 3000)));
    return { repository, tag: `v${number}`, image: imageOf([layerOfArchive(text, "none")]) };
  }

  get #anyThere(): Pushed {
    return this.#random.pick([...this.#there]);
  }

  /** One that may be there already. */
  async #push(): Promise<void> {
    const pushed = this.#random.pick(this.#images);
    const { repository, tag, image } = pushed;
    await this.#http.push(repository, tag, image);
    for (const { descriptor } of image.blobs) this.#tell("push", repository, descriptor.digest);
    this.#tell("push", repository, image.manifest.descriptor.digest, tag);
    this.#there.add(pushed);
  }

  async #pull(): Promise<void> {
    const { repository, tag, image } = this.#anyThere;
    await this.#http.expectImage(repository, tag, image);
    this.#tell("pull", repository, image.manifest.descriptor.digest, tag);
    for (const { descriptor } of image.blobs) this.#tell("pull", repository, descriptor.digest);
  }

  async #look(): Promise<void> {
    const { repository, tag, image } = this.#anyThere;
    const [blob] = image.blobs;
    assert.equal(await this.#http.statusOf(repository, "manifests", tag), 200);
    assert.equal(await this.#http.statusOf(repository, "blobs", blob?.descriptor.digest ?? ""), 200);
    assert.equal(await this.#http.statusOf(repository, "manifests", "never-pushed"), 404);
    this.#tell("pull", repository, image.manifest.descriptor.digest, tag);
    this.#tell("pull", repository, blob?.descriptor.digest ?? "");
  }

  async #mount(): Promise<void> {
    const { repository: from, image } = this.#anyThere;
    const to = this.repositories.find((name) => name !== from) ?? "";
    const digest = image.blobs.at(-1)?.descriptor.digest ?? "";
    const answer = await this.#http.request(`${to}/blobs/uploads/?mount=${digest}&from=${from}`, { method: "POST" });
    await answer.bytes();
    assert.equal(answer.status, 201);
    this.#tell("mount", to, digest);
  }

  /** One image stays. */
  async #delete(): Promise<void> {
    if (this.#there.size < 2) return;
    const gone = this.#anyThere;
    this.#there.delete(gone);
    const { repository, tag, image } = gone;
    const { digest } = image.manifest.descriptor;
    await this.#http.delete(repository, "manifests", digest);
    this.#tell("delete", repository, digest);
    this.#tell("delete", repository, "", tag);
    assert.equal(await this.#http.statusOf(repository, "manifests", digest), 404);
  }

  async #list(): Promise<void> {
    const { repository, tag, image } = this.#anyThere;
    assert.ok((await this.#http.tags(repository)).includes(tag));
    assert.deepEqual(await this.#http.referrers(repository, image.manifest.descriptor.digest as Digest), []);
    await (await this.#http.request("_catalog?n=3")).bytes();
  }

  /** One that is ended, and one that is left. */
  async #abandon(): Promise<void> {
    const repository = this.#random.pick(this.repositories);
    for (const isEnded of [true, false]) {
      const upload = await this.#http.append(await this.#http.startUpload(repository), noise(2000, 1));
      if (!isEnded) return;
      const answer = await this.#http.at(upload, { method: "DELETE" });
      await answer.bytes();
      assert.equal(answer.status, 204);
    }
  }

  async #beWrong(): Promise<void> {
    const headers = { Authorization: `Basic ${btoa(`alice:wrong${this.refused}`)}` };
    for (const [path, method] of [
      ["", "GET"],
      [`${this.repositories[0]}/blobs/uploads/`, "POST"],
    ] as const) {
      const answer = await this.#http.request(path, { method, headers });
      await answer.bytes();
      assert.equal(answer.status, 401);
      this.refused += 1;
    }
  }

  async #leaveWhileSending(): Promise<void> {
    const upload = await this.#http.startUpload(this.#random.pick(this.repositories));
    using wire = await this.#wire("PATCH", upload.location, "Content-Length: 100000");
    await wire.send(noise(this.#random.whole(1, 90_000), 1));
  }

  async #leaveWhileReading(): Promise<void> {
    const [repository = ""] = this.repositories;
    const { digest } = this.#large.descriptor;
    using wire = await this.#wire("GET", `/v2/${repository}/blobs/${digest}`);
    assert.equal((await wire.head()).status, 200);
    this.#tell("pull", repository, digest);
  }

  async #wire(method: string, path: string, ...fields: readonly string[]): Promise<Wire> {
    const wire = await Wire.open(this.#port);
    await wire.ask(method, path, `Authorization: ${await this.#authorize()}`, ...fields);
    return wire;
  }

  #tell(action: string, repository: string, digest: string, tag = ""): void {
    this.told.push([action, repository, digest, tag].join(" "));
  }

  readonly #send: Fetch = async (url, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("Authorization")) headers.set("Authorization", await this.#authorize());
    const answer = await fetch(url, { ...init, headers });
    assert.ok(answer.status < 500, `${init.method ?? "GET"} ${url} was answered ${answer.status}`);
    return answer;
  };

  async #authorize(): Promise<string> {
    if (this.requests % LOGIN === 0) this.#authorization = await this.#credentials(this.repositories);
    this.requests += 1;
    return this.#authorization;
  }
}
