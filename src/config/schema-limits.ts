import { BlockList, isIP } from "node:net";
import * as v from "valibot";
import type { WharfingerConfig, Workers } from "./config.ts";
import { alwaysThere, type Field, field, int, withDefault } from "./fields.ts";

const MOST = 1_000_000;

const perSecond: Field<number> = field(`requests a second, such as 20 or 0.5; at most ${MOST}`, ({ text }) => {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value <= MOST ? value : undefined;
});

const rate = v.pipe(
  alwaysThere({ rate: withDefault(perSecond, 0), burst: withDefault(int(0), 0) }),
  v.transform(({ rate, burst }) => ({ rate, burst: burst || Math.max(1, Math.ceil(2 * rate)) })),
);

export const limits: Field<WharfingerConfig["limits"]> = alwaysThere({
  connections: withDefault(int(0), 0),
  uploads: withDefault(int(0), 0),
  address: rate,
  user: rate,
});

/** Each takes some 60 MiB of its own, and asks all others at every deletion. */
export const MOST_WORKERS = 128;

export const workers: Field<Workers> = field(`auto, or a whole number from 1 to ${MOST_WORKERS}`, ({ text }) => {
  if (text.toLowerCase() === "auto") return "auto";
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= MOST_WORKERS ? value : undefined;
});

/** An IP address, or a network of them. */
export const network: Field<string> = field("an IP address or a network, such as 10.0.0.0/8 or fd00::/8", ({ text }) =>
  isNetwork(text) ? text : undefined,
);

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  if (bits === undefined) return true;
  if (!/^\d{1,3}$/.test(bits)) return false;
  try {
    new BlockList().addSubnet(address, Number(bits), version === 6 ? "ipv6" : "ipv4");
    return true;
  } catch {
    return false;
  }
}
