/**
 * Who did what to which repository, from where, and whether they might: one JSON object a line.
 *
 *     {"time":"…","id":"…","user":"ci","address":"10.0.0.9","peer":"10.0.0.1","agent":"docker/27","method":"PUT","action":"push",
 *      "repository":"team/app","reference":"v1","digest":"sha256:…","status":201,"allowed":true}
 */
import { Denied, Unauthorized } from "../oci/errors.ts";
import { statusOf } from "./answered.ts";
import { claimedUser } from "./claimed-user.ts";
import type { Exchange } from "./exchange.ts";
import { forwardingOf, peerAddress, trustedAddress } from "./forwarding.ts";
import { requestInfo } from "./request-info.ts";

export interface AuditOptions {
  /** Whether what only reads and was allowed is told as well. */
  readonly pulls: boolean;
}

/** @returns undefined where there is nothing to tell */
export function auditLine(exchange: Exchange, now: Date, { pulls }: AuditOptions): string | undefined {
  const { method, errors } = exchange;
  const status = statusOf(exchange);
  const allowed = !isDenied(exchange, status);
  const action = actionOf(exchange);
  if (action === undefined || (allowed && !(WRITES.has(action) || (pulls && action !== "authenticate"))))
    return undefined;
  const record = {
    time: now.toISOString(),
    ...whose(exchange),
    method,
    action,
    ...subjectOf(exchange),
    status,
    allowed,
    ...(errors && { error: errors[0]?.code }),
  };
  return `${JSON.stringify(record)}\n`;
}

type AuditAction = "authenticate" | "catalog" | "pull" | "push" | "mount" | "delete" | "cancel";

const WRITES: ReadonlySet<AuditAction> = new Set(["push", "mount", "delete", "cancel"]);

/** @returns undefined for what no route took, and for what is asked of nobody */
function actionOf({ action, target, method }: Exchange): AuditAction | undefined {
  if (action === undefined || action === "anything") return undefined;
  return action === "push" && method === "POST" && target.query.has("mount") ? "mount" : action;
}

/** By the rules of access control or of the operator; a status alone may have other reasons. */
function isDenied({ refused, errors }: Exchange, status: number): boolean {
  if (refused) return true;
  if (status !== 401 && status !== 403) return false;
  return errors?.some((error) => error instanceof Unauthorized || error instanceof Denied) ?? true;
}

/** A name that was not verified is told apart from one that was, and so is an address. */
function whose(exchange: Exchange): Record<string, string> {
  const { request, grant } = exchange;
  const { id, userAgent } = requestInfo(exchange);
  const claimed = grant === undefined ? claimedUser(request.headers.authorization) : "";
  const address = trustedAddress(request) ?? "";
  const { client: forwarded = address } = forwardingOf(request);
  return {
    id,
    user: grant?.user ?? "",
    ...(claimed !== "" && { claimed }),
    address,
    ...(forwarded !== address && { forwarded }),
    peer: peerAddress(request) ?? "",
    agent: userAgent,
  };
}

function subjectOf({ target, reply }: Exchange): Record<string, string> {
  const { kind, name, reference, query } = target;
  const digest =
    reply.getHeader("docker-content-digest") ?? query.get("digest") ?? query.get("mount") ?? byDigest(reference);
  const from = query.get("from");
  return {
    ...(name !== "" && { repository: name }),
    ...(reference !== "" && { [kind === "upload" ? "upload" : "reference"]: reference }),
    ...(digest !== undefined && { digest }),
    ...(from !== null && { from }),
  };
}

function byDigest(reference: string): string | undefined {
  return reference.includes(":") ? reference : undefined;
}
