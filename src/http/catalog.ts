import { PageSizeInvalid } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import { type Handler, sendJson } from "./edge.ts";
import { nextLink, parsePageSize, takePage } from "./paging.ts";

const PAGE = 100;

/** @see http-api, section 5 */
export const getCatalog: Handler = async (edge, { target, reply, grant }) => {
  const size = parsePageSize(target) ?? Math.min(PAGE, edge.maxEntries);
  if (size > edge.maxEntries) throw new PageSizeInvalid(size);
  const last = target.query.get("last") || undefined;
  const after = last as RepositoryName | undefined; // only compared with names, so it need not be one
  const repositories = edge.registry.repositories({ after });
  const page = await takePage(grant?.maySee ? filter(repositories, grant.maySee) : repositories, size);
  const end = page.entries.at(-1);
  if (page.more && end !== undefined) reply.header("link", nextLink(target, { last: end, n: String(size) }));
  return sendJson(reply, { repositories: page.entries });
};

async function* filter<T>(all: AsyncIterable<T>, keep: (one: T) => boolean): AsyncGenerator<T, void, void> {
  for await (const one of all) if (keep(one)) yield one;
}
