import { type Digest, digestOf, parseDigest } from "../oci/digest.ts";
import { ManifestTooLarge, ManifestUnknown, PreconditionFailed, TagInvalid } from "../oci/errors.ts";
import { MANIFEST_LIMIT, type Manifest } from "../oci/manifest.ts";
import { parseTag, type Tag } from "../oci/names.ts";
import type { Repository } from "../registry/registry.ts";
import { receiveWhole } from "./body.ts";
import { listsDigest, toEntityTag } from "./conditions.ts";
import { creatableRepositoryOf, type Handler, manifestUrl, repositoryOf } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { hasForms, toForm, varyByAccept } from "./manifest-form.ts";
import type { Reply } from "./reply.ts";
import { toWarnings } from "./warnings.ts";

/** Tags that one push may set. */
const MOST_TAGS = 100;

/** How often a tag is set while somebody else keeps deleting its manifest. */
const TAG_ATTEMPTS = 3;

/** Also HEAD: the reply leaves the body out. @see http-api, section 6 */
export const getManifest: Handler = async (edge, exchange) => {
  const { request, reply } = exchange;
  const repository = repositoryOf(edge, exchange);
  const reference = parseReference(exchange);
  const digest = reference.digest ?? (await repository.tags.resolve(reference.tag));
  const unchanged = request.headers["if-none-match"];
  if (listsDigest(unchanged, digest) && (await repository.manifests.has(digest))) {
    if (reference.tag) varyByAccept(reply); // it may be one that does: it was not read
    return sendUnchanged(reply, digest);
  }
  const stored = await repository.manifests.get(digest);
  const depends = reference.tag !== undefined && hasForms(repository, stored);
  if (depends) varyByAccept(reply);
  const form = depends
    ? await toForm(edge.registry.kinds, repository, stored, reference.tag, request.headers.accept)
    : stored;
  if (form !== stored && listsDigest(unchanged, form.digest)) return sendUnchanged(reply, form.digest);
  const manifest = "sign" in form ? await form.sign() : form;
  reply
    .headers({
      "content-type": manifest.mediaType,
      "docker-content-digest": manifest.digest,
      etag: toEntityTag(manifest.digest),
    })
    .send(manifest.bytes);
};

/** @see http-api, section 6; OCI distribution-spec 1.1, "Pushing manifests" */
export const putManifest: Handler = async (edge, exchange) => {
  const { request, reply, contentType } = exchange;
  const repository = creatableRepositoryOf(edge, exchange);
  const reference = parseReference(exchange);
  const tags = reference.tag ? [reference.tag] : parseTags(exchange.target.query.getAll("tag"));
  const condition = reference.tag ? toCondition(exchange) : undefined;
  if (condition && reference.tag) condition(await currentDigest(repository, reference.tag));

  using body = await receiveWhole(request, MANIFEST_LIMIT, edge.stall, edge.bodies);
  if (body === undefined) throw new ManifestTooLarge(MANIFEST_LIMIT);
  const manifest = edge.registry.kinds.parse(body.bytes, contentType);
  const digest = reference.digest ?? digestOf(manifest.bytes);
  const warnings = await repository.manifests.put(manifest, digest, { tags });
  for (const tag of tags) await setTag(repository, tag, manifest, digest, condition);

  const { subject } = manifest;
  reply.addHeaders("warning", toWarnings(warnings));
  reply
    .code(201)
    .headers({
      location: manifestUrl(edge, exchange, repository.name, digest),
      "docker-content-digest": digest,
      "content-length": "0",
      ...(subject && { "oci-subject": subject.digest }),
      ...(reference.digest && tags.length > 0 && { "oci-tag": tags.join(", ") }),
    })
    .send();
};

/** The manifest may be deleted, and the push goes on, between its being stored and its being tagged. */
async function setTag(
  repository: Repository,
  tag: Tag,
  manifest: Manifest,
  digest: Digest,
  condition: ReturnType<typeof toCondition>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await repository.tags.set(tag, digest, condition);
    } catch (error) {
      if (!(error instanceof ManifestUnknown) || attempt === TAG_ATTEMPTS) throw error;
      await repository.manifests.put(manifest, digest);
    }
  }
}

/** @see http-api, section 6, "DELETE" */
export const deleteManifest: Handler = async (edge, exchange) => {
  const repository = repositoryOf(edge, exchange);
  const reference = parseReference(exchange);
  if (reference.digest !== undefined) await repository.manifests.delete(reference.digest);
  else await repository.tags.delete(reference.tag);
  exchange.reply.code(202).header("content-length", "0").send();
};

type Reference = { readonly digest: Digest; readonly tag?: never } | { readonly tag: Tag; readonly digest?: never };

function parseTags(texts: readonly string[]): Tag[] {
  if (texts.length > MOST_TAGS) throw new TagInvalid(`at most ${MOST_TAGS} tag parameters, not ${texts.length}`);
  return texts.map(parseTag);
}

/** What holds a `:` is a digest or an error; no tag has one. */
function parseReference({ target }: Exchange): Reference {
  const { reference } = target;
  return reference.includes(":") ? { digest: parseDigest(reference) } : { tag: parseTag(reference) };
}

function sendUnchanged(reply: Reply, digest: Digest): void {
  reply
    .code(304)
    .headers({ etag: toEntityTag(digest), "docker-content-digest": digest })
    .send();
}

/** What the request's `If-Match` and `If-None-Match` ask of the tag before it may change. */
function toCondition({ request }: Exchange): ((current: Digest | undefined) => void) | undefined {
  const { "if-match": match, "if-none-match": noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    if (match !== undefined && (current === undefined || !listsDigest(match, current))) {
      throw new PreconditionFailed(`If-Match: the tag is ${current ?? "not there"}`);
    }
    if (current !== undefined && listsDigest(noneMatch, current)) {
      throw new PreconditionFailed(`If-None-Match: the tag is ${current}`);
    }
  };
}

async function currentDigest(repository: Repository, tag: Tag): Promise<Digest | undefined> {
  try {
    return await repository.tags.resolve(tag);
  } catch (error) {
    if (error instanceof ManifestUnknown) return undefined;
    throw error;
  }
}
