import type { HttpConfig } from "./config.ts";

export interface Address {
  /** Not set: every interface. */
  readonly host: string | undefined;
  /** 0: one that the system chooses. */
  readonly port: number;
}

/**
 * `host:port`, `[IPv6]:port`, `:port` or nothing.
 * @throws {SyntaxError} with what is accepted
 */
export function parseAddress(addr: string): Address {
  if (addr === "") return { host: undefined, port: 0 };
  const [, bracketed, bare, port] = /^(?:\[([^\s[\]/]*)\]|([^\s:[\]/]*)):(\d{1,5})$/.exec(addr) ?? [];
  if (port === undefined || Number(port) > 65535) {
    throw new SyntaxError("<host>:<port> or :<port>, such as :5000, with a port up to 65535");
  }
  return { host: bracketed || bare || undefined, port: Number(port) };
}

/** @returns what is accepted, where `addr` is no address of the kind `net` says */
export function addressProblem({ addr, net }: Pick<HttpConfig, "addr" | "net">): string | undefined {
  if (net === "unix") return isSocket(addr) ? undefined : "the path of a socket, as http.net is unix";
  try {
    parseAddress(addr);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

function isSocket(path: string): boolean {
  return path !== "" && !/^[^/]*:\d+$/.test(path);
}
