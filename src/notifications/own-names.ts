import { createHash } from "node:crypto";

interface Named {
  readonly name: string;
  readonly url: string;
}

/**
 * The queue tells endpoints apart by their names, so those that have one in common get names made of it and of their URL:
 * wherever they stand in the list, none gets what waits for another.
 */
export function withOwnNames<E extends Named>(endpoints: readonly E[]): readonly E[] {
  const counts = Map.groupBy(endpoints, ({ name }) => name);
  const taken = new Set(counts.keys());
  return endpoints.map((endpoint) => {
    if (counts.get(endpoint.name)?.length === 1) return endpoint;
    const name = freeName(`${endpoint.name} (${markOf(endpoint.url)}`, taken);
    taken.add(name);
    return { ...endpoint, name };
  });
}

/** Names that several endpoints have. */
export function sharedNames(endpoints: readonly Named[]): readonly string[] {
  const groups = Map.groupBy(endpoints, ({ name }) => name);
  return [...groups].filter(([, group]) => group.length > 1).map(([name]) => name);
}

/** Numbered where one with this URL, or somebody's own name, has it. */
function freeName(start: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? `${start})` : `${start}, ${count})`;
    if (!taken.has(name)) return name;
  }
}

/** Shows nothing of a URL that may be secret. */
function markOf(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 8);
}
