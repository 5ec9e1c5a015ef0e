import { randomUUID } from "node:crypto";
import { type Nginx, startNginx } from "./nginx.ts";
import { startRedis } from "./redis.ts";
import { RegistryClient } from "./registry-client.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "./registry-process.ts";
import { startGateway } from "./versitygw.ts";

export type CacheKind = "redis" | "inmemory";

/** Two of our processes over one bucket, behind nginx. Disposal ends all of it. */
export interface Nodes extends AsyncDisposable {
  readonly nginx: Nginx;
  readonly members: readonly [Node, Node];
  /** Clients of the members, past nginx. */
  readonly direct: readonly RegistryClient[];
}

/** @param configurations laid over each member's own */
export async function openNodes(cache: CacheKind, configurations: readonly Configuration[] = []): Promise<Nodes> {
  await using stack = new AsyncDisposableStack();
  const gateway = stack.use(await startGateway());
  const redis = cache === "redis" ? stack.use(await startRedis()) : undefined;
  const driver = { s3: gateway.parameters({ rootdirectory: randomUUID() }) };
  const open = async (index: number): Promise<Node> =>
    stack.use(await Node.start(driver, { ...cacheSection(cache, redis?.address), ...configurations[index] }));
  const members = [await open(0), await open(1)] as const;
  const nginx = stack.use(await startNginx(members.map(({ port }) => port)));
  const direct = members.map(({ url }) => new RegistryClient(url));
  const owned = stack.move();
  return { nginx, members, direct, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The bytes come from the nodes, so that a node that ends may cut a pull off. */
function cacheSection(kind: CacheKind, address: string | undefined): Configuration {
  return {
    storage: { cache: { blobdescriptor: kind }, redirect: { disable: true } },
    ...(address !== undefined && { redis: { addrs: [address] } }),
  };
}

/** One of the processes, on a port that it keeps over its ends. */
export class Node implements AsyncDisposable {
  readonly port: number;
  readonly #driver: Configuration;
  readonly #configuration: Configuration;
  #process: RegistryProcess;

  private constructor(process: RegistryProcess, driver: Configuration, configuration: Configuration) {
    this.port = process.port;
    this.#process = process;
    this.#driver = driver;
    this.#configuration = configuration;
  }

  static async start(driver: Configuration, configuration: Configuration): Promise<Node> {
    return new Node(
      await startRegistry("wharfinger", { rootDirectory: "", driver, configuration }),
      driver,
      configuration,
    );
  }

  get url(): string {
    return this.#process.url;
  }

  get host(): string {
    return this.#process.host;
  }

  /** Of the process that runs, or of the one that was killed last. */
  get log(): string {
    return this.#process.log;
  }

  /** No handler of the process runs. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  async restart(): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    const [driver, configuration, port] = [this.#driver, this.#configuration, this.port];
    this.#process = await startRegistry("wharfinger", { rootDirectory: "", driver, configuration, port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
