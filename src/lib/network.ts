import { isIPv6, SocketAddress } from "node:net";

/** What counts as one client of several addresses. Of IPv6 the first half: whoever has one address there has 2^64 of them. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const { address: plain } = new SocketAddress({ address: address.replace(/%.*$/, ""), family: "ipv6" });
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail === undefined) return groups.slice(0, 4).join(":");
  const rest = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0");
  return [...groups, ...zeros, ...rest].slice(0, 4).join(":");
}
