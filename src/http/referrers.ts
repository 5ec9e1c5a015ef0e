import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { MediaType } from "../oci/media-types.ts";
import { type Handler, repositoryOf, sendJson } from "./edge.ts";
import { nextLink, parsePageSize } from "./paging.ts";

/** Bytes of an answer; beyond them the list goes on at another page. */
const ANSWER_LIMIT = 4 * 1024 * 1024 - 1024;

/** @see http-api, section 10; OCI distribution-spec 1.1, "Listing referrers" */
export const getReferrers: Handler = async (edge, exchange) => {
  const { target, reply } = exchange;
  const subject = parseDigest(target.reference);
  const size = parsePageSize(target) ?? Number.POSITIVE_INFINITY;
  const type = target.query.get("artifactType");
  const last = target.query.get("last") || undefined;
  const after = last as Digest | undefined; // only compared with digests, so it need not be one
  const all = repositoryOf(edge, exchange).referrers.list(subject, { after });
  const page = await takeFitting(type ? ofType(all, type) : all, size);
  const end = page.manifests.at(-1);
  if (page.more && end) {
    const parameters = { ...(type !== null && { artifactType: type }), last: end.digest };
    const limit = size === Number.POSITIVE_INFINITY ? {} : { n: String(size) };
    reply.header("link", nextLink(target, { ...parameters, ...limit }));
  }
  if (type) reply.header("oci-filters-applied", "artifactType");
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: page.manifests };
  return sendJson(reply, index, MediaType.ociIndex);
};

async function* ofType(referrers: AsyncIterable<Descriptor>, type: string): AsyncGenerator<Descriptor, void, void> {
  for await (const referrer of referrers) if (referrer.artifactType === type) yield referrer;
}

/** As many as were asked for and as fit into an answer, but at least one. */
async function takeFitting(
  referrers: AsyncIterable<Descriptor>,
  size: number,
): Promise<{ readonly manifests: readonly Descriptor[]; readonly more: boolean }> {
  const manifests: Descriptor[] = [];
  if (size === 0) return { manifests, more: false };
  let bytes = 0;
  for await (const referrer of referrers) {
    bytes += Buffer.byteLength(JSON.stringify(referrer)) + 1;
    if (manifests.length === size || (manifests.length > 0 && bytes > ANSWER_LIMIT)) return { manifests, more: true };
    manifests.push(referrer);
  }
  return { manifests, more: false };
}
