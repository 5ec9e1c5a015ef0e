import assert from "node:assert/strict";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { DescriptorCache } from "../../src/cache/descriptor-cache.ts";
import { createServer, type ServerOptions } from "../../src/http/server.ts";
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

export interface SendInit {
  readonly headers?: OutgoingHttpHeaders;
  /** An array is sent chunk by chunk without a Content-Length. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface ApiOptions extends Partial<Omit<ServerOptions, "registry" | "log" | "urls">> {
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
  const server = createServer({ ...DEFAULTS, ...options, ...toEdge(options, registry, log) });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const origin = `http://127.0.0.1:${port}`;
  return {
    driver,
    port,
    origin,
    log,
    send: (method, target, init = {}) => exchange(agent, origin, method, target, init),
    raw: (bytes, how = "stay") => exchangeRaw(port, bytes, how),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.server.closeAllConnections();
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

async function exchange(
  agent: Agent,
  origin: string,
  method: string,
  target: string,
  { headers, body }: SendInit,
): Promise<Answer> {
  const path = target.startsWith(`${origin}/`) ? target.slice(origin.length) : target;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = typeof body === "string" || body instanceof Uint8Array ? { "Content-Length": byteLength(body) } : {};
  const outgoing = request(origin, { agent, method, path, headers: { ...length, ...headers } });
  outgoing.on("response", resolve).on("error", reject);
  if (body !== undefined) for (const chunk of Array.isArray(body) ? body : [body]) outgoing.write(chunk);
  outgoing.end();
  return await toAnswer(await promise);
}

function byteLength(body: string | Uint8Array): number {
  return Buffer.byteLength(body);
}

async function toAnswer(incoming: IncomingMessage): Promise<Answer> {
  const parts: Uint8Array[] = [];
  for await (const part of incoming) parts.push(part as Uint8Array);
  const { statusCode, headers, rawHeaders } = incoming;
  return { status: statusCode ?? 0, headers, rawHeaders, body: Buffer.concat(parts) };
}

async function exchangeRaw(port: number, bytes: string | Uint8Array, how: "stay" | "leave"): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const parts: Uint8Array[] = [];
  socket.on("error", () => undefined); // a server that resets the connection has answered before, or not at all
  socket.on("data", (part) => parts.push(part as Buffer));
  if (how === "leave") socket.end(bytes);
  else socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(parts).toString("latin1");
}
