import assert from "node:assert/strict";
import type { AddressInfo, Socket } from "node:net";
import type { DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import { HttpServer } from "../../src/http/http-server.ts";
import type { ListeningOptions } from "../../src/http/open-server.ts";
import { createApi, type ServerOptions } from "../../src/http/server.ts";
import { closeAll } from "../../src/http/turn.ts";
import { builtInKinds } from "../../src/oci/built-in-kinds.ts";
import type { ManifestKind } from "../../src/oci/manifest-kind.ts";
import { ManifestKinds } from "../../src/oci/manifest-kinds.ts";
import type { SigningKey } from "../../src/oci/schema1/signing-key.ts";
import type { RegistryOptions } from "../../src/registry/context.ts";
import { PathMapper } from "../../src/registry/paths.ts";
import { StorageRegistry } from "../../src/registry/storage-registry.ts";
import type { UrlPolicy } from "../../src/registry/url-policy.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { createLog } from "../../src/telemetry/log.ts";
import type { Answer, SendInit } from "./exchange.ts";
import { openProtocol, type ProtocolName } from "./protocol.ts";

export type { Answer, SendInit } from "./exchange.ts";

/** The HTTP API of a registry in this process, as a client reaches it over a socket. Disposal ends it and its storage. */
export interface Api extends AsyncDisposable {
  readonly driver: StorageDriver;
  readonly port: number;
  /** Without a slash at its end. */
  readonly origin: string;
  /** Lines that the server logged. */
  readonly log: readonly string[];

  /** Sends `target` as it is, a path or a URL of this server. Redirects are not followed. */
  send(method: string, target: string, init?: SendInit): Promise<Answer>;

  /** Writes these bytes to a connection of their own, and reads until the server ends it. `leave`: sends its end too. */
  raw(bytes: string | Uint8Array, how?: "stay" | "leave"): Promise<string>;
}

export interface ApiOptions extends Partial<Omit<ServerOptions & ListeningOptions, "registry" | "log" | "urls">> {
  readonly deletion?: boolean;
  readonly schema1?: boolean;
  readonly kinds?: readonly ManifestKind[];
  readonly signingKey?: SigningKey;
  readonly redirect?: boolean;
  readonly cache?: DescriptorCache;
  readonly exclusive?: boolean;
  readonly host?: string;
  readonly relative?: boolean;
  readonly foreignUrls?: Partial<UrlPolicy>;
  readonly requiresChild?: RegistryOptions["references"]["requiresChild"];
  /** Failures of the storage are part of the test; otherwise one of them fails it. */
  readonly faulty?: boolean;
  /** What is spoken; `WHARFINGER_PROTOCOL` where the test does not say, else plain HTTP/1. */
  readonly protocol?: ProtocolName;
}

export const SECRET = "the secret of the tests";

export async function startApi(driver: StorageDriver, options: ApiOptions = {}): Promise<Api> {
  const log: string[] = [];
  const schema1 = { enabled: options.schema1 ?? false, key: options.signingKey };
  const registry = new StorageRegistry(
    { driver, paths: new PathMapper() },
    new ManifestKinds([...builtInKinds(schema1), ...(options.kinds ?? [])]),
    toRegistryOptions(options),
    () => undefined,
    options.cache,
  );
  const protocol = await openProtocol(options.protocol);
  const own = { ...DEFAULTS, ...protocol.server, ...options };
  const server = new HttpServer(own, createApi({ ...own, ...toEdge(options, registry, log) }));
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const origin = `${protocol.scheme}://127.0.0.1:${port}`;
  return {
    driver,
    port,
    origin,
    log,
    send: (method, target, init = {}) => protocol.exchange(origin, method, pathOf(origin, target), init),
    raw: (bytes, how = "stay") => exchangeRaw(protocol.connect(port), bytes, how),
    async [Symbol.asyncDispose]() {
      protocol.close();
      closeAll(server.server);
      await server.close();
      await registry[Symbol.asyncDispose]();
      if (!options.faulty) assert.deepEqual(log.filter(isError), []);
    },
  };
}

const DEFAULTS = {
  prefix: "/",
  headers: {},
  secret: SECRET,
  readOnly: false,
  maxEntries: 1000,
  maxTags: 1000,
  stall: 10_000,
  timeouts: { header: 10_000, idle: 10_000 },
} as const;

function toRegistryOptions({
  deletion,
  readOnly,
  redirect,
  exclusive,
  foreignUrls,
  requiresChild,
  schema1,
}: ApiOptions): RegistryOptions {
  return {
    deletion: deletion ?? true,
    readOnly: readOnly ?? false,
    redirect: redirect ?? true,
    references: {
      urls: { foreignByDefault: false, ...foreignUrls },
      requiresChild: requiresChild ?? (() => true),
    },
    schema1: schema1 ?? false,
    exclusive: exclusive ?? false,
    tagConcurrency: 4,
  };
}

function toEdge(
  { host, relative }: ApiOptions,
  registry: StorageRegistry,
  log: string[],
): Pick<ServerOptions, "registry" | "urls" | "log"> {
  return {
    registry,
    urls: { host: host === undefined ? undefined : new URL(host), relative: relative ?? false },
    log: createLog({ level: "debug", formatter: "text", fields: {} }, (line) => log.push(line)),
  };
}

function isError(line: string): boolean {
  return line.includes("level=error");
}

function pathOf(origin: string, target: string): string {
  return target.startsWith(`${origin}/`) ? target.slice(origin.length) : target;
}

async function exchangeRaw(socket: Socket, bytes: string | Uint8Array, how: "stay" | "leave"): Promise<string> {
  const parts: Uint8Array[] = [];
  socket.on("error", () => undefined); // a server that resets the connection has answered before, or not at all
  socket.on("data", (part) => parts.push(part as Buffer));
  if (how === "leave") socket.end(bytes);
  else socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(parts).toString("latin1");
}
