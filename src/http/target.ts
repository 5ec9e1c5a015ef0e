/**
 * What a request's URL asks for. The URL is split at `?` first and the path alone is matched, from its end: `/v2/<name>/`
 * and a suffix, the longest name winning. Access control and handlers both use this value and never look at the URL again.
 *
 * @see http-api, section 2, "Routes"
 */

export type TargetKind =
  | "root"
  | "base"
  | "catalog"
  | "tags"
  | "manifest"
  | "blob"
  | "uploads"
  | "upload"
  | "referrers"
  | "unknown";

export interface Target {
  readonly kind: TargetKind;
  /** Text of the repository's name; "" for kinds without one. The grammar is checked by whoever takes it as a name. */
  readonly name: string;
  /** Tag, digest or upload id; "" for kinds without one. */
  readonly reference: string;
  /** Of the query string alone. */
  readonly query: URLSearchParams;
  /** What precedes `/v2/`, so that answers lead back the way the request came: `/` or `http.prefix`. */
  readonly prefix: string;
  /** Path and query as received, without an origin. */
  readonly url: string;
  /** A path that has to be asked for in another form: the URL to be redirected to. */
  readonly redirect?: string;
  /** What is wrong with a path that cannot be read at all. */
  readonly problem?: string;
}

/** Of most URLs; nobody adds to a query. */
const NO_QUERY = new URLSearchParams();

/** @param prefix begins and ends with `/` */
export function parseTarget(url: string, prefix: string): Target {
  const relative = withoutOrigin(url);
  const mark = relative.indexOf("?");
  const path = mark < 0 ? relative : relative.slice(0, mark);
  const queryText = mark < 0 ? "" : relative.slice(mark);
  const common = { query: queryText === "" ? NO_QUERY : new URLSearchParams(queryText), prefix, url: relative };
  const nothing = { ...common, kind: "unknown", name: "", reference: "" } as const;

  if (path.includes("\\")) return { ...nothing, problem: "the path has a backslash" };
  const clean = cleanPath(path);
  if (clean !== path) return { ...nothing, redirect: clean + queryText };
  const decoded = decodePath(path);
  if (decoded === undefined) {
    return { ...nothing, problem: "the path has a broken percent-escape, a NUL or an encoded '.' component" };
  }
  if (decoded === "/") return { ...nothing, kind: "root" };
  if (!decoded.startsWith(prefix)) return nothing;
  const match = matchPath(decoded.slice(prefix.length));
  if (!match) return nothing;
  return {
    ...common,
    kind: match.kind,
    name: match.name ?? "",
    reference: match.reference ?? "",
    ...repair(match, path, queryText),
  };
}

interface Match {
  readonly kind: TargetKind;
  readonly name?: string;
  readonly reference?: string;
  /** The path lacks (`add`) or has too much of (`drop`) a slash at its end. */
  readonly slash?: "add" | "drop";
}

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** @param path without the prefix, e.g. `v2/a/b/tags/list` */
function matchPath(path: string): Match | undefined {
  if (!path.startsWith("v2/")) return path === "v2" ? { kind: "base", slash: "add" } : undefined;
  if (path === "v2/") return { kind: "base" };
  if (path === "v2/_catalog") return { kind: "catalog" };
  if (path === "v2/_catalog/") return { kind: "catalog", slash: "drop" };
  const end = path.lastIndexOf("/");
  const middle = path.lastIndexOf("/", end - 1);
  return matchParts(path, middle, path.slice(middle + 1, end), path.slice(end + 1));
}

/** Where the first component of a name begins. */
const NAME = "v2/".length;

/** @param at the slash before the two last components */
function matchParts(path: string, at: number, second: string, last: string): Match | undefined {
  if (at < NAME) return undefined;
  const name = path.slice(NAME, at);
  if (second === "tags" && last === "list") return { kind: "tags", name };
  if (second === "manifests" && (last.includes(":") || TAG.test(last))) {
    return { kind: "manifest", name, reference: last };
  }
  if (second === "blobs" && last === "uploads") return { kind: "uploads", name, slash: "add" };
  if (second === "blobs" && last !== "") return { kind: "blob", name, reference: last };
  if (second === "referrers" && last !== "") return { kind: "referrers", name, reference: last };
  if (second !== "uploads" || !name.endsWith("/blobs")) return undefined;
  const upload = { name: name.slice(0, -"/blobs".length) };
  return last === "" ? { kind: "uploads", ...upload } : { kind: "upload", ...upload, reference: last };
}

function repair({ slash }: Match, path: string, query: string): { redirect?: string } {
  if (slash === "add") return { redirect: `${path}/${query}` };
  if (slash === "drop") return { redirect: path.slice(0, -1) + query };
  return {};
}

/** Clients of proxies send `http://host/path`, where the path may be missing. */
function withoutOrigin(url: string): string {
  if (url.startsWith("/")) return url;
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
  return path.startsWith("/") ? path : `/${path}`;
}

/** Resolves `.`, `..` and empty components, as far as they are written out; a slash at the end stays. */
function cleanPath(path: string): string {
  if (!path.includes("//") && !(path.includes("/.") && /\/\.{1,2}(?:\/|$)/.test(path))) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const end = parts.length > 0 && /\/\.{0,2}$/.test(path) ? "/" : "";
  return `/${parts.join("/")}${end}`;
}

/** Decodes once. What then still looks like a trick is refused. */
function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path.includes("\0") ? undefined : path;
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") || decoded !== cleanPath(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
