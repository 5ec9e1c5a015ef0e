import type { AccessRequest } from "../../src/auth/access-controller.ts";

/** A request as a controller is told of it. */
export function requestWith(authorization?: string, headers: AccessRequest["headers"] = {}): AccessRequest {
  return {
    headers: { host: "registry.test", ...(authorization !== undefined && { authorization }), ...headers },
    address: "127.0.0.1",
    base: () => "http://registry.test/",
  };
}

export function basic(user: string, password: string | Uint8Array): string {
  return `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]).toString("base64")}`;
}
