import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of a list of IP prefixes as Amazon publishes it. */
export interface IpRangesServer extends AsyncDisposable {
  readonly url: URL;
  /** How often it was asked. */
  readonly requests: number;
  /** Answers in this way from now on. */
  answer(listener: RequestListener): void;
}

export type PrefixAndRegion = readonly [prefix: string, region: string];

export async function startIpRanges(prefixes: readonly PrefixAndRegion[]): Promise<IpRangesServer> {
  let listener: RequestListener = (_request, response) => response.end(ipRanges(prefixes));
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    listener(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ip-ranges.json`),
    get requests() {
      return requests;
    },
    answer(next) {
      listener = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function ipRanges(prefixes: readonly PrefixAndRegion[]): string {
  const old = prefixes.filter(([prefix]) => !prefix.includes(":"));
  const long = prefixes.filter(([prefix]) => prefix.includes(":"));
  return JSON.stringify({
    syncToken: "1700000000",
    createDate: "2026-11-20-12-00-00",
    prefixes: old.map(([prefix, region]) => ({ ip_prefix: prefix, region, service: "EC2" })),
    ipv6_prefixes: long.map(([prefix, region]) => ({ ipv6_prefix: prefix, region, service: "EC2" })),
  });
}
