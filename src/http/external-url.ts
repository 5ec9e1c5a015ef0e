/**
 * URLs of this registry as its clients reach it.
 *
 * @see http-api, section 9, "Generated URLs"
 */
import type { IncomingHttpHeaders } from "node:http";

export interface UrlRules {
  /** `http.host`: where set, it decides alone. */
  readonly host?: URL | undefined;
  /** `http.relativeurls` */
  readonly relative: boolean;
}

export interface RequestOrigin {
  readonly headers: IncomingHttpHeaders;
  readonly encrypted: boolean;
  /** What precedes `/v2/` in the request's path. */
  readonly prefix: string;
}

/** @returns a URL or path that ends before `v2/`, with the slash */
export function externalBase(rules: UrlRules, { headers, encrypted, prefix }: RequestOrigin): string {
  if (rules.host) return new URL("./", rules.host).href;
  if (rules.relative) return prefix;
  const forwarded = headers["forwarded"];
  const { proto, host } = forwarded === undefined ? forwardedByX(headers) : parseForwarded(forwarded);
  const authority = host ?? checkedHost(headers.host);
  return authority === undefined ? prefix : `${proto ?? (encrypted ? "https" : "http")}://${authority}${prefix}`;
}

interface Forwarded {
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

/** One pair and what ends it. It matches at one place only, in time linear in the pair. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y;

/** Its first element; nothing where it is malformed. @see RFC 7239, section 4 */
function parseForwarded(header: string): Forwarded {
  const pairs = new Map<string, string>();
  const pattern = new RegExp(PAIR);
  for (let end = ";"; end === ";"; ) {
    const match = pattern.exec(header);
    if (!match) return {};
    const [, name = "", bare, quoted = ""] = match;
    pairs.set(name.toLowerCase(), bare ?? quoted.replaceAll(/\\(.)/g, "$1"));
    end = match[4] ?? "";
  }
  return checked(pairs.get("proto"), pairs.get("host"));
}

function forwardedByX(headers: IncomingHttpHeaders): Forwarded {
  const first = (name: string): string | undefined => headers[name]?.toString().split(",", 1)[0]?.trim();
  return checked(first("x-forwarded-proto"), first("x-forwarded-host"));
}

/** A value that is no scheme or no authority counts as absent. */
function checked(proto: string | undefined, host: string | undefined): Forwarded {
  const scheme = proto?.toLowerCase();
  return { proto: scheme === "http" || scheme === "https" ? scheme : undefined, host: checkedHost(host) };
}

/** A name or an IP address, with or without a port. */
function checkedHost(host: string | undefined): string | undefined {
  const isHost = host !== undefined && /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host);
  return isHost && URL.canParse(`http://${host}`) ? host : undefined;
}
