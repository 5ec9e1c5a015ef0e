/**
 * What proxies tell of a request, and who is believed.
 *
 * Where the operator lists no proxies, everybody is believed, as by the peers: fine for URLs and logs, for nothing else.
 * Where there is a list, only a connection from it may tell anything, and the client is the last that no listed proxy is.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { connectionOf } from "./connection.ts";
import { type ForwardedPairs, parseForwarded } from "./forwarded-header.ts";

export interface Forwarding {
  readonly proto: "http" | "https" | undefined;
  /** A name or an IP address, with or without a port. */
  readonly host: string | undefined;
  /** The IP address of the client; undefined where no proxy tells. */
  readonly client: string | undefined;
}

/** IPv4 on a socket of both families. */
const MAPPED = /^::ffff:(?=[\d.]+$)/i;

const NOTHING: Forwarding = { proto: undefined, host: undefined, client: undefined };

/** Addresses of proxies. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** @param addresses IP addresses and networks, such as `10.0.0.0/8` */
  constructor(addresses: readonly string[]) {
    for (const entry of addresses) {
      const [address = "", bits] = entry.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    return this.#list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

const trusts = new WeakMap<IncomingMessage, TrustedProxies>();

/** From now on only those are believed what they tell of this request. */
export function believeOnly(request: IncomingMessage, proxies: TrustedProxies): void {
  trusts.set(request, proxies);
}

export function forwardingOf(request: IncomingMessage): Forwarding {
  const { headers } = request;
  const trusted = trusts.get(request);
  if (trusted) return toldByTrusted(request, trusted);
  const { proto, host } = headers.forwarded === undefined ? byX(headers, 0) : checked(firstElement(headers.forwarded));
  return { proto, host, client: firstClient(headers) };
}

function firstElement(header: string): ForwardedPairs | undefined {
  const [first] = parseForwarded(header);
  return first;
}

/** The other end of the connection; undefined on a socket of the file system, and where it is closed. */
export function peerAddress(request: IncomingMessage): string | undefined {
  return connectionOf(request).remoteAddress?.replace(MAPPED, "");
}

/**
 * The IP address of the client itself, as far as proxies tell it. Without a list of proxies any client can say what it
 * likes, so it is good for choosing a way to the bytes, and for logs, only.
 */
export function clientAddress(request: IncomingMessage): string | undefined {
  return forwardingOf(request).client?.replace(MAPPED, "") ?? peerAddress(request);
}

/** The IP address that limits and access control go by: nothing but a listed proxy says another than the other end's. */
export function trustedAddress(request: IncomingMessage): string | undefined {
  return (trusts.has(request) ? forwardingOf(request).client : undefined) ?? peerAddress(request);
}

/** @see storage-layout, section 11 */
function firstClient(headers: IncomingHttpHeaders): string | undefined {
  const told = [listOf(headers, "x-forwarded-for")[0], headers["x-real-ip"]?.toString().trim()];
  return told.find((address) => address !== undefined && isIP(address) !== 0);
}

/**
 * `X-Forwarded-For` before `Forwarded`, because most proxies write the former and hand on the latter as the client made it.
 */
function toldByTrusted(request: IncomingMessage, trusted: TrustedProxies): Forwarding {
  const { headers } = request;
  const peer = peerAddress(request);
  const believed = peer === undefined ? !connectionOf(request).destroyed : trusted.has(peer);
  if (!believed) return NOTHING;
  if (headers.forwarded !== undefined && headers["x-forwarded-for"] === undefined) {
    const elements = [...parseForwarded(headers.forwarded)];
    if (elements.includes(undefined)) return NOTHING;
    const { client, index } = lastUntrusted(
      elements.map((pairs) => nodeAddress(pairs?.get("for"))),
      trusted,
    );
    return { ...checked(elements[index]), client };
  }
  const chain = listOf(headers, "x-forwarded-for");
  const hops = chain.length > 0 ? chain : listOf(headers, "x-real-ip");
  const { client, index } = lastUntrusted(hops, trusted);
  return { ...byX(headers, hops.length > 0 ? index - hops.length : -1), client };
}

/** From the right, as far as proxies of the list report each other. What is no address ends the chain. */
function lastUntrusted(
  hops: readonly (string | undefined)[],
  trusted: TrustedProxies,
): { readonly client: string | undefined; readonly index: number } {
  let found: { client: string | undefined; index: number } = { client: undefined, index: hops.length - 1 };
  for (let index = hops.length - 1; index >= 0; index -= 1) {
    const client = hops[index]?.replace(MAPPED, "");
    if (client === undefined || isIP(client) === 0) return found;
    found = { client, index };
    if (!trusted.has(client)) return found;
  }
  return found;
}

/** Without port and brackets. @see RFC 7239, section 6 */
function nodeAddress(node: string | undefined): string | undefined {
  const [, v6, v4] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+))(?::\d+)?$/.exec(node ?? "") ?? [];
  return v6 ?? v4;
}

type Told = Omit<Forwarding, "client">;

/** @param at index of the client's proxy in its list, from the end where negative; the first where the list is shorter */
function byX(headers: IncomingHttpHeaders, at: number): Told {
  const pick = (name: string): string | undefined => {
    const list = listOf(headers, name);
    return list.at(at) ?? list[0];
  };
  return { proto: checkedProto(pick("x-forwarded-proto")), host: checkedHost(pick("x-forwarded-host")) };
}

function listOf(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const text = headers[name]?.toString();
  return text === undefined ? [] : text.split(",").map((item) => item.trim());
}

function checked(pairs: ForwardedPairs | undefined): Told {
  return { proto: checkedProto(pairs?.get("proto")), host: checkedHost(pairs?.get("host")) };
}

/** A value that is no scheme counts as absent. */
function checkedProto(proto: string | undefined): "http" | "https" | undefined {
  const scheme = proto?.toLowerCase();
  return scheme === "http" || scheme === "https" ? scheme : undefined;
}

/** A name or an IP address, with or without a port; any other value counts as absent. */
export function checkedHost(host: string | undefined): string | undefined {
  const isHost = host !== undefined && /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host);
  return isHost && URL.canParse(`http://${host}`) ? host : undefined;
}
