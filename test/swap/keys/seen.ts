import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { get } from "node:http";
import { type Image, imageOf, layerOfArchive, noise } from "../../support/image.ts";
import type { Redis } from "../../support/redis.ts";
import { RegistryClient } from "../../support/registry-client.ts";
import { ecSigner, schema1Fields, signedFixture } from "../../support/schema1-fixture.ts";
import type { ServerProcess } from "../../support/server-process.ts";

const SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const LAYER = layerOfArchive(noise(1000, 11));
const IMAGE: Image = imageOf([LAYER], { format: "docker" });

/** A registry that runs, or has run, and what of it a key may change. */
export class Seen {
  readonly rootDirectory: string;
  readonly #url: string;
  readonly #server: ServerProcess;
  readonly #redis: Redis | undefined;
  readonly #client: RegistryClient;
  /** Once it has ended. */
  exitCode: number | null | undefined;

  constructor(server: ServerProcess, url: string, rootDirectory: string, redis: Redis | undefined) {
    this.#server = server;
    this.#url = url;
    this.#redis = redis;
    this.rootDirectory = rootDirectory;
    this.#client = new RegistryClient(url);
  }

  /** The same registry below a path. */
  under(prefix: string): Seen {
    return new Seen(this.#server, `${this.#url}${prefix}`, this.rootDirectory, this.#redis);
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
    return (await fetch(`${this.#url}${path}`)).status;
  }

  async header(name: string): Promise<string | null> {
    return (await this.#client.request("")).headers.get(name);
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
    const size = await this.#redis?.ask(`AUTH open\r\nSELECT ${database}\r\nDBSIZE`);
    return /^:[1-9]/m.test(size ?? "");
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
