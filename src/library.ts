/**
 * The registry for a program of one's own: without HTTP, or mounted in the program's own HTTP server.
 *
 * Nothing here reads files of configuration, the environment or signals, and nothing listens.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { availableParallelism } from "node:os";
import type { AccessController } from "./auth/access-controller.ts";
import { CheckedController } from "./auth/checked-controller.ts";
import type { DescriptorCache } from "./cache/descriptor-cache.ts";
import type { EdgeLog } from "./http/edge.ts";
import { toAnswer } from "./http/errors.ts";
import { createApi } from "./http/server.ts";
import { builtInKinds } from "./oci/built-in-kinds.ts";
import { RegistryClosed } from "./oci/errors.ts";
import type { ManifestKind } from "./oci/manifest-kind.ts";
import { ManifestKinds } from "./oci/manifest-kinds.ts";
import type { Schema1Options } from "./oci/schema1/kind.ts";
import { ACCESS_CONTROLLER, DRIVER, lackingOf } from "./part-shape.ts";
import { PathMapper } from "./registry/paths.ts";
import type { ReferenceRules } from "./registry/reference-rules.ts";
import type { Registry } from "./registry/registry.ts";
import { StorageRegistry } from "./registry/storage-registry.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { randomSecret } from "./upload-secret.ts";

export interface RegistryOptions {
  /**
   * Where the bytes are. The registry owns it: disposing of the registry waits for the calls that run, closes readers and
   * uploads, whose bytes stay, and disposes of the driver. What is asked of the registry afterwards throws
   * `RegistryClosed`.
   */
  readonly driver: StorageDriver;
  /** Where everything lies among those bytes; by default as docker/distribution lays it out. */
  readonly paths?: PathMapper;
  /** Whether blobs, manifests and tags may be deleted; `false` by default, as in the peers. */
  readonly deletion?: boolean;
  /** Nothing is written on the registry's own account, such as a layer that schema 1 needs; what callers write is their business. */
  readonly readOnly?: boolean;
  /** Whether clients may be sent to the storage for blobs, where the driver can; `true` by default. */
  readonly redirect?: boolean;
  /** Asked before the storage what a repository holds; none by default. The registry owns it as it owns the driver. */
  readonly cache?: DescriptorCache;
  /**
   * Nobody else writes to the storage without telling the cache: a manifest's references may then be looked up in it.
   * `false` by default.
   */
  readonly exclusive?: boolean;
  /** Kinds of manifests beyond Docker's and OCI's. */
  readonly kinds?: Iterable<ManifestKind>;
  /**
   * Whether schema 1 manifests may be pushed and images are converted to schema 1 for clients that take nothing newer; off
   * by default. The key signs what is pulled, stored schema 1 manifests also where it is off.
   */
  readonly schema1?: Schema1Options;
  /** What manifests may point at; by default everything must be there, and foreign layers are refused as in the peers. */
  readonly references?: ReferenceRules;
  /** Told what an operator should know and no caller has to. Silent by default. */
  readonly warn?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * A registry over a driver. Cheap: nothing is read until it is asked for.
 * @throws {TypeError} where the driver is none, or two kinds of manifests have one media type
 */
export function openRegistry(options: RegistryOptions): Registry {
  const lacking = lackingOf(options.driver, DRIVER);
  if (lacking.length > 0) throw new TypeError(`driver is no storage driver: it lacks ${lacking.join(", ")}`);
  const { driver, paths = new PathMapper(), deletion = false, readOnly = false } = options;
  const { redirect = true, references = EVERYTHING_THERE, warn = () => undefined } = options;
  const { kinds = [], schema1, cache, exclusive = false } = options;
  const tagConcurrency = availableParallelism();
  const rules = {
    deletion,
    readOnly,
    redirect,
    references,
    exclusive,
    schema1: schema1?.enabled ?? false,
    tagConcurrency,
  };
  const allKinds = new ManifestKinds([...builtInKinds(schema1), ...kinds]);
  return new StorageRegistry({ driver, paths }, allKinds, rules, warn, cache);
}

const EVERYTHING_THERE: ReferenceRules = { urls: { foreignByDefault: false }, requiresChild: () => true };

export interface HandlerOptions {
  /** Signs the state of uploads. Give it where several processes serve one storage; random by default. */
  readonly secret?: string;
  /** The path under which `v2/` is found. Begins and ends with `/`, which is the default. */
  readonly prefix?: string;
  /** The registry's URL as clients reach it; by default what they say they asked for. */
  readonly host?: URL;
  /** URLs without scheme and host in answers. */
  readonly relativeUrls?: boolean;
  /** Answers 405 to every request to write. What the registry writes on its own account is a matter of its `readOnly`. */
  readonly readOnly?: boolean;
  /** Most entries of a page of the catalogue (1000) and of tags (1000). */
  readonly maxEntries?: number;
  readonly maxTags?: number;
  /** ms without a byte of a body after which its connection is dropped (60 s). */
  readonly stall?: number;
  /** Who may do what; by default everybody everything. Stays the caller's, as the registry does. */
  readonly access?: AccessController;
  /** A pino logger or one like it; silent by default. */
  readonly log?: EdgeLog;
}

/** Answers requests for the API and 404 to any other; 503 once it is disposed of. */
export interface Handler extends AsyncDisposable {
  (request: IncomingMessage, response: ServerResponse): void;
}

/**
 * The HTTP API of a registry for `http.createServer()`, or for any framework that hands on Node's own request and response
 * with the body unread.
 */
export async function createHandler(registry: Registry, options: HandlerOptions = {}): Promise<Handler> {
  const { secret = randomSecret(), prefix = "/", host, relativeUrls = false, readOnly = false } = options;
  const { maxEntries = 1000, maxTags = 1000, stall = 60_000, access, log = SILENT } = options;
  checkOptions({ secret, prefix, maxEntries, maxTags, stall });
  const lacking = access ? lackingOf(access, ACCESS_CONTROLLER) : [];
  if (lacking.length > 0) throw new TypeError(`access is no access controller: it lacks ${lacking.join(", ")}`);
  const answer = createApi({
    ...{ registry, secret, prefix, readOnly, maxEntries, maxTags, stall, log },
    urls: { host, relative: relativeUrls },
    headers: {},
    access: access && new CheckedController(access),
  });
  let closed = false;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (closed) refuse(response);
    else answer(request, response);
  };
  return Object.assign(handle, {
    [Symbol.asyncDispose]: async () => {
      closed = true;
    },
  });
}

/** @throws {TypeError} */
function checkOptions({ secret, prefix, ...numbers }: Required<Pick<HandlerOptions, CheckedOption>>): void {
  if (secret === "") throw new TypeError("secret must not be empty: it signs the state of uploads");
  if (!/^\/(?:.*\/)?$/.test(prefix)) throw new TypeError(`prefix must begin and end with a slash, not be ${prefix}`);
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number.isSafeInteger(value) && value > 0)) throw new TypeError(`${name} must be a whole number above 0`);
  }
}

type CheckedOption = "secret" | "prefix" | "maxEntries" | "maxTags" | "stall";

function refuse(response: ServerResponse): void {
  const { status, headers, body } = toAnswer(new RegistryClosed());
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

const SILENT: EdgeLog = { warn: () => undefined, error: () => undefined };
