import type { IncomingMessage } from "node:http";
import type { Budget } from "../lib/budget.ts";
import { parseRepositoryName, parseStoredName, type RepositoryName } from "../oci/names.ts";
import type { Registry, Repository } from "../registry/registry.ts";
import { isEncrypted } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { externalBase, type UrlRules } from "./external-url.ts";
import { forwardingOf } from "./forwarding.ts";
import type { Reply } from "./reply.ts";
import { type RequestInfo, requestInfo } from "./request-info.ts";
import type { Target } from "./target.ts";

/** What every handler works with. */
export interface Edge {
  readonly registry: Registry;
  /** Wraps what a request works with, to tell of it. `base` is the URL of this registry, with a slash at its end. */
  readonly observe?: ((repository: Repository, request: RequestInfo, base: string) => Repository) | undefined;
  /** Wraps what a request may create things in, with what it forbids whoever sends it. */
  readonly limit?: ((repository: Repository, mayPush: (manifestClass: string) => boolean) => Repository) | undefined;
  readonly log: EdgeLog;
  readonly urls: UrlRules;
  /** Signs the state of uploads. */
  readonly secret: string;
  /** Most entries of a page of the catalogue. */
  readonly maxEntries: number;
  /** Most entries of a page of tags, where the client asks for pages. */
  readonly maxTags: number;
  /** ms without a byte after which a connection is dropped in the middle of a body. */
  readonly stall: number;
  /** Bytes for the bodies that have to be whole in memory. */
  readonly bodies: Budget;
}

/** A pino logger, or one like it. */
export interface EdgeLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Sends the answer. What it throws is sent as an error, as long as nothing else was. */
export type Handler = (edge: Edge, exchange: Exchange) => Promise<void> | undefined;

/** @throws {NameInvalid} */
export function repositoryOf(edge: Edge, exchange: Exchange): Repository {
  return observed(edge, exchange, edge.registry.repository(parseStoredName(exchange.target.name)));
}

/**
 * Of a request that may create the repository.
 * @throws {NameInvalid}
 */
export function creatableRepositoryOf(edge: Edge, exchange: Exchange): Repository {
  return observed(edge, exchange, limited(edge, exchange, parseRepositoryName(exchange.target.name)));
}

function limited({ registry, limit }: Edge, { grant }: Exchange, name: RepositoryName): Repository {
  const repository = registry.repository(name);
  return limit ? limit(repository, (manifestClass) => grant?.mayPushClass?.(name, manifestClass) ?? true) : repository;
}

function observed(edge: Edge, exchange: Exchange, repository: Repository): Repository {
  return edge.observe ? edge.observe(repository, requestInfo(exchange), base(edge, exchange)) : repository;
}

export function blobUrl(edge: Edge, exchange: Exchange, name: RepositoryName, digest: string): string {
  return `${base(edge, exchange)}v2/${name}/blobs/${digest}`;
}

export function manifestUrl(edge: Edge, exchange: Exchange, name: RepositoryName, digest: string): string {
  return `${base(edge, exchange)}v2/${name}/manifests/${digest}`;
}

export function uploadUrl(edge: Edge, exchange: Exchange, name: RepositoryName, id: string, token: string): string {
  return `${base(edge, exchange)}v2/${name}/blobs/uploads/${id}?_state=${encodeURIComponent(token)}`;
}

function base(edge: Edge, { request, target }: Exchange): string {
  return baseUrl(edge, request, target);
}

/** The URL under which the client asked for this registry, with a slash at its end. */
export function baseUrl(edge: Edge, request: IncomingMessage, target: Target): string {
  const forwarded = forwardingOf(request);
  return externalBase(edge.urls, {
    host: request.headers.host,
    forwarded,
    encrypted: isEncrypted(request),
    prefix: target.prefix,
  });
}

/** Compact JSON with a newline, as the peers print it. */
export function sendJson(reply: Reply, value: unknown, type = "application/json"): void {
  reply.header("content-type", type).send(`${JSON.stringify(value)}\n`);
}
