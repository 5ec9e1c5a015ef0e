/**
 * What happened to a repository, and how it is told: one JSON document an event, as the peers print it.
 *
 *     { "events": [ { id, timestamp, action, target {…}, request {…}, actor {name}, source {addr, instanceID} } ] }
 *
 * @see notifications, sections 2 and 3; the bytes were compared with those of 2.8.2
 */
import type { BlobDescriptor } from "../oci/descriptor.ts";
import type { RepositoryName, Tag } from "../oci/names.ts";
import { toGoJson } from "../oci/schema1/go-json.ts";
import { toGoTime } from "../oci/schema1/go-time.ts";

export type Action = "pull" | "push" | "mount" | "delete";

export interface RegistryEvent {
  readonly action: Action;
  readonly target: EventTarget;
  readonly request: EventRequest;
}

export interface EventTarget {
  readonly repository: RepositoryName;
  /** Not there where something was deleted, of which no more than its name is known. */
  readonly content?: Pick<BlobDescriptor, "mediaType" | "digest" | "size">;
  /** Of what was deleted by its digest. */
  readonly digest?: string;
  readonly fromRepository?: RepositoryName;
  readonly url?: string;
  readonly tag?: Tag;
  readonly references?: readonly BlobDescriptor[];
}

/** Whose request did it. Texts are empty where nothing is known. */
export interface EventRequest {
  readonly id: string;
  readonly address: string;
  readonly host: string;
  readonly method: string;
  readonly userAgent: string;
  readonly user: string;
}

/** Which registry it was. */
export interface EventSource {
  /** Host name and port. */
  readonly addr: string;
  /** A UUID of this process. */
  readonly instanceID: string;
}

/** That of docker/distribution 3; the document is the same for receivers of the one before. */
export const CONTENT_TYPE = "application/vnd.docker.distribution.events.v2+json";

/** @param id a UUID */
export function printEnvelope(event: RegistryEvent, source: EventSource, id: string, time: Date): string {
  const { action, target, request } = event;
  const timestamp = toGoTime(time.toISOString());
  const printed = { id, timestamp, action, target: toTarget(target), ...toParties(request), source };
  return toGoJson({ events: [printed] }, "   ");
}

/** The media type that endpoints look at; empty of what was deleted. */
export function mediaTypeOf({ target }: RegistryEvent): string {
  return target.content?.mediaType ?? "";
}

function toTarget({ content, digest, references, ...names }: EventTarget): object {
  const { mediaType = "", size = 0 } = content ?? {};
  return {
    mediaType,
    digest: content?.digest ?? digest ?? "",
    size,
    length: size || undefined,
    repository: names.repository,
    fromRepository: names.fromRepository,
    url: names.url,
    tag: names.tag,
    references: references && references.length > 0 ? references.map(toReference) : undefined,
  };
}

/** Layers of schema 1 state no size. */
function toReference(descriptor: BlobDescriptor): object {
  const { mediaType, digest, size, urls = [], annotations = {}, data, platform, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size: size || undefined,
    urls: urls.length > 0 ? urls : undefined,
    annotations: sortedUnlessEmpty(annotations),
    data: data || undefined,
    platform,
    artifactType,
  };
}

/** Maps are printed in the order of their keys' bytes. */
function sortedUnlessEmpty(annotations: Readonly<Record<string, string>>): object | undefined {
  const entries = Object.entries(annotations).map(([key, value]) => [Buffer.from(key), key, value] as const);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.sort(([a], [b]) => a.compare(b)).map(([, key, value]) => [key, value]));
}

function toParties({ id, address, host, method, userAgent, user }: EventRequest): object {
  return {
    request: { id, addr: address || undefined, host: host || undefined, method, useragent: userAgent },
    actor: { name: user || undefined },
  };
}
