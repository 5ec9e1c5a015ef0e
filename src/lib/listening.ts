/** Servers that listen, and where. */
import type { AddressInfo, ListenOptions, Server } from "node:net";

/**
 * @param backlog connections that may wait until they are accepted, as far as the system lets them
 * @throws {Error} with the code of the system
 */
export async function listen(
  server: Server,
  where: ListenOptions | { readonly fd: number },
  backlog?: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(where, backlog, resolve); // the runtime overlooks `where.backlog` beside a descriptor
  try {
    await promise;
  } finally {
    server.off("error", reject);
  }
}

/** As people write it, e.g. `[::]:5000` or the path of a socket. */
export function toText(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") return address ?? "/";
  return `${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}
