import type { Tag } from "../oci/names.ts";
import { type Handler, repositoryOf } from "./edge.ts";
import { nextLink, parsePageSize, takePage } from "./paging.ts";

/** @see http-api, section 5; OCI distribution-spec 1.1, "Listing tags" */
export const getTags: Handler = async (edge, exchange) => {
  const { target, reply } = exchange;
  const repository = repositoryOf(edge, exchange);
  const asked = parsePageSize(target);
  const size = asked === undefined ? Number.POSITIVE_INFINITY : Math.min(asked, edge.maxTags);
  const last = target.query.get("last") || undefined;
  const after = last as Tag | undefined; // only compared with tags, so it need not be one
  const tags = repository.tags.list({ after });
  const page = await takePage(tags, size === 0 ? 1 : size); // an unknown repository is one also where n=0
  const entries = size === 0 ? [] : page.entries;
  const end = entries.at(-1);
  if (page.more && end !== undefined) reply.header("link", nextLink(target, { last: end, n: String(size) }));
  const text = last === undefined && !page.more ? printOnce(entries) : JSON.stringify(entries);
  reply.header("content-type", "application/json").send(`{"name":"${repository.name}","tags":${text}}\n`);
};

/** Of lists that are remembered, for as long as they are: 12 µs for 500 tags. */
const printed = new WeakMap<readonly Tag[], string>();

function printOnce(tags: readonly Tag[]): string {
  const known = printed.get(tags);
  if (known !== undefined) return known;
  const text = JSON.stringify(tags);
  printed.set(tags, text);
  return text;
}
