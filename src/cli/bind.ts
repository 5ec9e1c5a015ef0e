import { lookup } from "node:dns/promises";
import { BoundSocket, isIP } from "node:net";
import { parseAddress } from "../config/address.ts";
import type { HttpConfig } from "../config/config.ts";
import { toText } from "../lib/listening.ts";
import { Failure } from "./failure.ts";
import { lacksIpv6, oneAddress, removeSocket, toFailure } from "./listen.ts";

/** A socket that nobody accepts connections from yet. It is there as long as this is, whoever listens on it meanwhile. */
export interface Bound extends Disposable {
  readonly fd: number;
  /** As people write it, e.g. `[::]:5000` or the path of a socket; undefined for one that was inherited. */
  readonly address: string | undefined;
}

/**
 * Binds where `http.addr` and `http.net` say, for processes that are to listen there together.
 * @param inherited the descriptor of a socket that listens already, and counts instead
 * @throws {Failure}
 */
export async function bind({ addr, net }: HttpConfig, inherited?: number): Promise<Bound> {
  if (inherited !== undefined) return { fd: inherited, address: undefined, [Symbol.dispose]: () => undefined };
  if (typeof BoundSocket !== "function") throw new Failure("wharfinger.workers needs Node 26.4 or newer: use 1");
  try {
    return toBound(await (net === "unix" ? bindPath(addr) : bindPort(addr)));
  } catch (error) {
    throw toFailure(error, addr);
  }
}

async function bindPath(path: string): Promise<BoundSocket> {
  await removeSocket(path);
  const options: object = { path }; // which the types do not know yet
  return new BoundSocket(options);
}

async function bindPort(addr: string): Promise<BoundSocket> {
  const { host, port } = parseAddress(addr);
  if (host !== undefined) return new BoundSocket({ host: await numeric(host), port });
  try {
    return new BoundSocket({ host: "::", port });
  } catch (error) {
    if (!lacksIpv6(error)) throw error;
    return new BoundSocket({ host: "0.0.0.0", port });
  }
}

async function numeric(host: string): Promise<string> {
  const one = await oneAddress(host);
  return isIP(one) ? one : (await lookup(one)).address;
}

function toBound(socket: BoundSocket): Bound {
  const at: ReturnType<BoundSocket["address"]> | string = socket.address();
  return {
    fd: socket.fd(),
    address: toText(at),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}
