/**
 * What checks of these URLs are called: each by its URL, as the peers have it, but without a password and the values of a
 * query, because names go to the log, to metrics and to `/debug/health`. No two are alike.
 */
export function checkNames(uris: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  return uris.map((uri) => {
    const name = nameOf(uri);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

function nameOf(uri: string): string {
  const url = URL.parse(uri);
  if (!url) return "…";
  const { protocol, username, password, host, pathname, search, hash } = url;
  const isPlain = username + password + search + hash === "";
  return isPlain ? uri : `${protocol}//${username + password && "…@"}${host}${pathname}${masked(search)}`;
}

function masked(search: string): string {
  const mask = (part: string): string => (part.includes("=") ? part.replace(/=.*/s, "=…") : "…");
  return search && `?${search.slice(1).split("&").map(mask).join("&")}`;
}
