import { lookup } from "node:dns/promises";
import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { parseAddress } from "../config/address.ts";
import type { HttpConfig } from "../config/config.ts";
import type { DebugServer } from "../http/debug-server.ts";
import type { HttpServer } from "../http/http-server.ts";
import type { Log } from "../telemetry/log.ts";
import { Failure } from "./failure.ts";

/**
 * Binds where `http.addr` and `http.net` say.
 * @param inherited the descriptor of a socket that listens already, and counts instead
 * @returns the address as people write it, e.g. `[::]:5000` or the path of a socket
 * @throws {Failure}
 */
export async function listen(server: HttpServer, { addr, net }: HttpConfig, inherited?: number): Promise<string> {
  try {
    if (inherited !== undefined) return await server.listen({ fds: [inherited] });
    if (net === "unix") return await listenOnSocket(server, addr);
    const { host, port } = parseAddress(addr);
    if (host !== undefined) return await server.listen({ host: await oneAddress(host), port });
    return await listenEverywhere(server, port);
  } catch (error) {
    throw toFailure(error, addr);
  }
}

export function toFailure(error: unknown, addr: string): Failure {
  if (error instanceof Failure) return error;
  return new Failure(`cannot listen on ${addr}: ${reason(error)}`, { cause: error });
}

/** @throws {Failure} */
export async function listenForDebugging(debug: DebugServer, addr: string, log: Log): Promise<void> {
  const { host, port } = parseAddress(addr);
  try {
    log.info(`debug server listening ${await debug.listen(host, port)}`);
  } catch (error) {
    const why = reason(error).replace("http.addr (REGISTRY_HTTP_ADDR)", "http.debug.addr (REGISTRY_HTTP_DEBUG_ADDR)");
    throw new Failure(`cannot listen on ${addr} (http.debug.addr): ${why}`, { cause: error });
  }
}

/** As in the peers, `localhost` is one address and not two. */
export async function oneAddress(host: string): Promise<string> {
  return host === "localhost" ? (await lookup(host, { order: "ipv4first" })).address : host;
}

/** IPv4 and IPv6, or IPv4 alone where the machine has no other. */
async function listenEverywhere(server: HttpServer, port: number): Promise<string> {
  try {
    return await server.listen({ host: "::", port });
  } catch (error) {
    if (!lacksIpv6(error)) throw error;
    return await server.listen({ host: "0.0.0.0", port });
  }
}

export function lacksIpv6(error: unknown): boolean {
  return codeOf(error) === "EAFNOSUPPORT" || codeOf(error) === "EADDRNOTAVAIL";
}

/**
 * Takes away what a process left that listened there.
 * @throws {Failure} where it is something else, or one listens there still
 */
export async function removeSocket(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) throw new Failure(`cannot listen on ${path}: there is a file that is no socket`);
  if (await isServed(path))
    throw new Failure(
      `cannot listen on ${path}: another program does; stop it first, or set http.addr (REGISTRY_HTTP_ADDR) to another path`,
    );
  rmSync(path, { force: true });
}

function isServed(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => {
    socket.destroy();
    resolve(true);
  });
  socket.on("error", (error) => resolve(codeOf(error) === "EAGAIN")); // too many wait to be let in
  return promise;
}

async function listenOnSocket(server: HttpServer, path: string): Promise<string> {
  await removeSocket(path);
  return await server.listen({ path });
}

function reason(error: unknown): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return "another program uses this port; stop it, or set http.addr (REGISTRY_HTTP_ADDR) to another one";
    case "EACCES":
      return "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case "ENOTFOUND":
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
