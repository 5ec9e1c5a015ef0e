/**
 * URLs of this registry as its clients reach it.
 *
 * @see http-api, section 9, "Generated URLs"
 */
import { checkedHost, type Forwarding } from "./forwarding.ts";

export interface UrlRules {
  /** `http.host`: where set, it decides alone. */
  readonly host?: URL | undefined;
  /** `http.relativeurls` */
  readonly relative: boolean;
}

export interface RequestOrigin {
  /** What the client asked for, as its request says. */
  readonly host: string | undefined;
  /** What proxies tell. */
  readonly forwarded: Pick<Forwarding, "proto" | "host">;
  readonly encrypted: boolean;
  /** What precedes `/v2/` in the request's path. */
  readonly prefix: string;
}

/** @returns a URL or path that ends before `v2/`, with the slash */
export function externalBase(rules: UrlRules, { host, forwarded, encrypted, prefix }: RequestOrigin): string {
  if (rules.host) return new URL("./", rules.host).href;
  if (rules.relative) return prefix;
  const authority = forwarded.host ?? checkedHost(host);
  const proto = forwarded.proto ?? (encrypted ? "https" : "http");
  return authority === undefined ? prefix : `${proto}://${authority}${prefix}`;
}
