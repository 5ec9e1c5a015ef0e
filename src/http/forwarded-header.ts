/** The header `Forwarded`. @see RFC 7239, section 4 */

/** Names in lower case to values. */
export type ForwardedPairs = ReadonlyMap<string, string>;

/** One pair and what ends it. It matches at one place only, in time linear in the pair. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y;

/** Its elements; undefined, and no more, where it is malformed. */
export function* parseForwarded(header: string): Generator<ForwardedPairs | undefined> {
  const pattern = new RegExp(PAIR);
  let pairs = new Map<string, string>();
  for (let end: string | undefined = ","; end !== ""; ) {
    const match = pattern.exec(header);
    if (!match) return yield undefined;
    const [, name = "", bare, quoted = ""] = match;
    end = match[4];
    pairs.set(name.toLowerCase(), bare ?? quoted.replaceAll(/\\(.)/g, "$1"));
    if (end === ";") continue;
    yield pairs;
    pairs = new Map();
  }
}
