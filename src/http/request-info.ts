import type { IncomingMessage } from "node:http";
import { claimedUser } from "./claimed-user.ts";
import { connectionOf } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { forwardingOf, peerAddress } from "./forwarding.ts";

/** A request as logs and notifications tell of it. */
export interface RequestInfo {
  /** A UUID of its own. */
  readonly id: string;
  /** Of the client, as far as proxies tell; with the port where it is the other end of the connection. */
  readonly address: string;
  /** "" where the client sent none. */
  readonly host: string;
  readonly method: string;
  /** "" where the client sent none. */
  readonly userAgent: string;
  /** Whose request it is. With access control off, the name that the client gave itself; "" where it gave none. */
  readonly user: string;
}

/** Asked for once access control has let it in. */
export function requestInfo({ request, id, method, grant }: Exchange): RequestInfo {
  const { headers } = request;
  return {
    id,
    address: addressOf(request),
    host: headers.host ?? "",
    method,
    userAgent: headers["user-agent"] ?? "",
    user: grant === undefined ? namedUser(headers.authorization) : grant.user,
  };
}

/** @see notifications, section 2, `request.addr` */
function addressOf(request: IncomingMessage): string {
  const { client } = forwardingOf(request);
  const peer = peerAddress(request);
  if (client !== undefined || peer === undefined) return client ?? "";
  return `${peer.includes(":") ? `[${peer}]` : peer}:${connectionOf(request).remotePort}`;
}

function namedUser(authorization: string | undefined): string {
  return /^Basic /i.test(authorization ?? "") ? claimedUser(authorization) : "";
}
