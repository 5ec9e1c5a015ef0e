import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Image, imageOf, layerOfArchive, noise } from "../../support/image.ts";
import type { Redis } from "../../support/redis.ts";
import { RegistryClient } from "../../support/registry-client.ts";
import { ecSigner, schema1Fields, signedFixture } from "../../support/schema1-fixture.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import { type Admission, askByTls, type Credentials, type Handshake, type Handshaken, handshake } from "./by-tls.ts";
import type { Outside } from "./outside.ts";
import type { ClientCertificate } from "./place.ts";

const SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const LAYER = layerOfArchive(noise(1000, 11));
const IMAGE: Image = imageOf([LAYER], { format: "docker" });

/** What is there beside the registry. */
export interface Around {
  readonly redis: Redis;
  readonly outside: Outside;
  /** ms to wait for what it does in its own time. */
  readonly patience: number;
}

/** Sooner than a check looks for the first time that has no interval. ms */
const SOON = 8000;

/** Whoever is let in by any word is let in. */
const ANY_WORD = { authorization: "Bearer any" };

/** A registry that runs, or has run, and what of it a key may change. */
export class Seen {
  readonly rootDirectory: string;
  readonly #url: string;
  readonly #server: ServerProcess;
  readonly #around: Around;
  readonly #client: RegistryClient;
  /** Once it has ended. */
  exitCode: number | null | undefined;

  constructor(server: ServerProcess, url: string, rootDirectory: string, around: Around) {
    this.#server = server;
    this.#url = url;
    this.#around = around;
    this.rootDirectory = rootDirectory;
    this.#client = new RegistryClient(url, (to, init) => this.#ask(to, init));
  }

  /** As long as it is not healthy, again and again. */
  async #ask(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = { ...ANY_WORD, ...(init.headers as Record<string, string>) };
    let answer = await fetch(url, { ...init, headers });
    await this.until(async () => {
      if (answer.status === 503) answer = await fetch(url, { ...init, headers });
      return answer.status !== 503;
    });
    return answer;
  }

  get outside(): Outside {
    return this.#around.outside;
  }

  /** The same registry below a path. */
  under(prefix: string): Seen {
    return new Seen(this.#server, `${this.#url}${prefix}`, this.rootDirectory, this.#around);
  }

  logged(text: RegExp): boolean {
    return text.test(this.#server.log);
  }

  /** The line that says where it listens, where lines are JSON. */
  listening(): Readonly<Record<string, unknown>> | undefined {
    const line = this.#server.log.split("\n").find((one) => one.startsWith("{") && one.includes("listening on"));
    return line === undefined ? undefined : JSON.parse(line);
  }

  async statusAt(port: number): Promise<number> {
    return (await fetch(`http://127.0.0.1:${port}/v2/`)).status;
  }

  async statusOf(path: string): Promise<number> {
    return (await fetch(`${this.#url}${path}`, { headers: ANY_WORD })).status;
  }

  async challenge(): Promise<string | null> {
    return (await fetch(`${this.#url}/v2/`)).headers.get("WWW-Authenticate");
  }

  /** Waits as long as that makes sense for a registry that has the key, or has it not. */
  async until(met: () => boolean | Promise<boolean>, most: number = Infinity): Promise<boolean> {
    const end = performance.now() + Math.min(most, this.#around.patience);
    while (!(await met())) {
      if (performance.now() > end) return false;
      await pause(20);
    }
    return true;
  }

  /** The status of the API when something has happened, and when it is over. */
  async statusWhile(begin: () => Promise<void>, end: () => Promise<void>): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const [change, expected] of [
      [begin, 503],
      [end, 200],
    ] as const) {
      await change();
      await this.until(async () => (await this.statusOf("/v2/")) === expected, SOON);
      statuses.push(await this.statusOf("/v2/"));
    }
    return statuses;
  }

  /** Whether it goes on doing so while nobody asks for anything. */
  async looksAtStorage(port: number): Promise<boolean> {
    const looks = async (): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${port}/m`)).text();
      return Number(/^registry_storage_action_seconds_count\{[^}]*action="Stat"[^}]*\} (\d+)/m.exec(text)?.[1]);
    };
    const before = await looks();
    return await this.until(async () => (await looks()) > before + 1, SOON);
  }

  async pushAndPull(): Promise<void> {
    await this.#client.push("told", "v1", IMAGE);
    await this.#client.getManifest("told", "v1", DOCKER);
  }

  /** In the log, as 2.8 does it, or in a metric, as 3 does it. */
  async showsEndpoint(name: string, port: number): Promise<boolean> {
    if (this.logged(new RegExp(`configuring endpoint ${name} `))) return true;
    const answer = await fetch(`http://127.0.0.1:${port}/m`);
    return (await answer.text()).includes(`endpoint="${name}"`);
  }

  /** The status of a manifest whose config is a plugin's. */
  async plugin(): Promise<number> {
    const [config] = IMAGE.blobs;
    if (config === undefined) throw new Error("an image without a configuration");
    for (const blob of [config, LAYER]) await this.#client.pushBlob("plugin", blob);
    const described = { ...config.descriptor, mediaType: "application/vnd.docker.plugin.v1+json" };
    const layers = [{ ...LAYER.descriptor, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }];
    const manifest = { schemaVersion: 2, mediaType: DOCKER, config: described, layers };
    return await this.#put("plugin", Buffer.from(JSON.stringify(manifest)), DOCKER);
  }

  handshake(options: Handshake): Promise<Handshaken> {
    return handshake(Number(new URL(this.#url).port), options);
  }

  /** Whether somebody is let in who comes by TLS. */
  securely(credentials: Credentials): Promise<Admission> {
    return askByTls(Number(new URL(this.#url).port), credentials);
  }

  async header(name: string): Promise<string | null> {
    return (await this.#client.request("")).headers.get(name);
  }

  async certificate(client: ClientCertificate): Promise<string | undefined> {
    return (await this.handshake({ client })).fingerprint;
  }

  async upload(): Promise<number> {
    return (await this.#startUpload()).status;
  }

  async location(): Promise<string> {
    return (await this.#startUpload()).headers.get("Location") ?? "";
  }

  /** What an upload's address looks like to a client of the socket, up to the repository. */
  locationBySocket(socketPath: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (!existsSync(socketPath)) return Promise.resolve("no socket");
    const request = get({ socketPath, path: "/v2/a/blobs/uploads/", method: "POST" }, (answer) => {
      answer.resume();
      resolve(answer.headers.location?.replace(/a\/blobs.*/, "") ?? "");
    });
    request.on("error", reject);
    return promise;
  }

  /** The state that an upload's address carries is a MAC of 32 bytes and then what it is of. */
  async stateIsSignedWith(secret: string): Promise<boolean> {
    const location = new URL(await this.location(), this.#url);
    const state = Buffer.from(location.searchParams.get("_state") ?? "", "base64url");
    return createHmac("sha256", secret).update(state.subarray(32)).digest().equals(state.subarray(0, 32));
  }

  async repositories(count: number): Promise<number> {
    for (let i = 0; i < count; i += 1) await this.#client.push(`many/${i}`, "v1", IMAGE);
    const answer = await this.#client.request("_catalog");
    return ((await answer.json()) as { readonly repositories: readonly string[] }).repositories.length;
  }

  async deletion(): Promise<number> {
    const digest = await this.#client.push("deleted", "v1", IMAGE);
    return (await this.#client.request(`deleted/manifests/${digest}`, { method: "DELETE" })).status;
  }

  /** The status of a manifest with a layer that lies elsewhere. */
  async foreignLayer(url: string): Promise<number> {
    const [config] = IMAGE.blobs;
    if (config === undefined) throw new Error("an image without a configuration");
    await this.#client.pushBlob("foreign", config);
    const layer = { ...LAYER.descriptor, mediaType: FOREIGN_LAYER, urls: [url] };
    const manifest = { schemaVersion: 2, mediaType: DOCKER, config: config.descriptor, layers: [layer] };
    return await this.#put("foreign", Buffer.from(JSON.stringify(manifest)), DOCKER);
  }

  async schema1(): Promise<number> {
    await this.#client.pushBlob("old", LAYER);
    const fields = schema1Fields({ name: "old", fsLayers: [{ blobSum: LAYER.descriptor.digest }] });
    const { document } = signedFixture({ ...fields, history: [{ v1Compatibility: '{"id":"1"}' }] }, [ecSigner()]);
    return await this.#put("old", document, SIGNED);
  }

  /** The key that has signed what a client of 2015 gets. */
  async signer(): Promise<string | undefined> {
    await this.#client.push("new", "v1", IMAGE);
    const answer = await this.#client.request("new/manifests/v1", { headers: { Accept: SIGNED } });
    const { signatures } = (await answer.json()) as {
      readonly signatures?: readonly { readonly header: { readonly jwk: { readonly kid: string } } }[];
    };
    return signatures?.[0]?.header.jwk.kid;
  }

  async download(): Promise<number> {
    return (await this.#download()).status;
  }

  async redirect(): Promise<string | undefined> {
    const location = (await this.#download()).headers.get("Location");
    return location === null ? undefined : new URL(location).origin;
  }

  /** Whether a database holds any key once something was pushed. */
  async keysInRedis(database: number): Promise<boolean> {
    await this.#download();
    const size = await this.#around.redis.ask(`AUTH open\r\nSELECT ${database}\r\nDBSIZE`);
    return /^:[1-9]/m.test(size);
  }

  async #download(): Promise<Response> {
    await this.#client.pushBlob("downloaded", LAYER);
    return await this.#client.request(`downloaded/blobs/${LAYER.descriptor.digest}`);
  }

  #startUpload(): Promise<Response> {
    return this.#client.request("a/blobs/uploads/", { method: "POST" });
  }

  async #put(repository: string, bytes: Buffer, mediaType: string): Promise<number> {
    const init = { method: "PUT", body: new Uint8Array(bytes), headers: { "Content-Type": mediaType } };
    return (await this.#client.request(`${repository}/manifests/v1`, init)).status;
  }
}
