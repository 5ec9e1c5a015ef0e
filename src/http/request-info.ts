import { randomUUID } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { arrivalOf } from "./arrival.ts";
import { claimedUser } from "./claimed-user.ts";
import { connectionOf } from "./connection.ts";
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
export function requestInfo({ raw }: FastifyRequest): RequestInfo {
  const arrival = arrivalOf(raw);
  return {
    id: requestId(raw),
    address: addressOf(raw),
    host: raw.headers.host ?? "",
    method: raw.method ?? "",
    userAgent: raw.headers["user-agent"] ?? "",
    user: arrival.grant === undefined ? namedUser(raw.headers.authorization) : arrival.grant.user,
  };
}

/** Made when somebody asks for it. */
function requestId(raw: FastifyRequest["raw"]): string {
  const arrival = arrivalOf(raw);
  arrival.id ??= randomUUID();
  return arrival.id;
}

/** @see notifications, section 2, `request.addr` */
function addressOf(raw: FastifyRequest["raw"]): string {
  const { client } = forwardingOf(raw);
  const peer = peerAddress(raw);
  if (client !== undefined || peer === undefined) return client ?? "";
  return `${peer.includes(":") ? `[${peer}]` : peer}:${connectionOf(raw).remotePort}`;
}

function namedUser(authorization: string | undefined): string {
  return /^Basic /i.test(authorization ?? "") ? claimedUser(authorization) : "";
}
