import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * The IP address of the client itself, as far as proxies tell it: the first of `X-Forwarded-For`, else `X-Real-Ip`, else
 * the other end of the connection. Any client can send these headers, so it is good for choosing a way to the bytes only.
 *
 * @see storage-layout, section 11
 */
export function clientAddress({ headers, socket }: IncomingMessage): string | undefined {
  const [forwarded] = (headers["x-forwarded-for"]?.toString() ?? "").split(",", 1);
  const told = [forwarded, headers["x-real-ip"]?.toString()].map((address) => address?.trim() ?? "");
  const address = told.find((address) => isIP(address) !== 0) ?? socket.remoteAddress;
  return address?.replace(/^::ffff:(?=[\d.]+$)/i, "");
}
