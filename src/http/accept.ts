/** Media types of all `Accept` lines, without parameters, in lower case. */
export function parseAccept(header: string | undefined): ReadonlySet<string> {
  const types = (header ?? "").split(",").map((item) => (item.split(";", 1)[0] ?? "").trim().toLowerCase());
  return new Set(types.filter((type) => type !== ""));
}

/** Whether the client said that it takes anything, or nothing at all. */
export function acceptsAnything(accept: ReadonlySet<string>): boolean {
  return accept.size === 0 || accept.has("*/*") || accept.has("application/*");
}
