/**
 * Who did what to which repository, from where, and whether they might: one JSON object a line.
 *
 *     {"time":"…","id":"…","user":"ci","address":"10.0.0.9","peer":"10.0.0.1","agent":"docker/27","method":"PUT","action":"push",
 *      "repository":"team/app","reference":"v1","digest":"sha256:…","status":201,"allowed":true}
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Denied, Unauthorized } from "../oci/errors.ts";
import { statusOf } from "./answered.ts";
import { type Arrival, arrivalOf } from "./arrival.ts";
import { claimedUser } from "./claimed-user.ts";
import { forwardingOf, peerAddress, trustedAddress } from "./forwarding.ts";
import { requestInfo } from "./request-info.ts";
import type { Target } from "./target.ts";

export interface AuditOptions {
  /** Whether what only reads and was allowed is told as well. */
  readonly pulls: boolean;
}

/** @returns undefined where there is nothing to tell */
export function auditLine(
  request: FastifyRequest,
  reply: FastifyReply,
  now: Date,
  { pulls }: AuditOptions,
): string | undefined {
  const arrival = arrivalOf(request.raw);
  const status = statusOf(reply);
  const allowed = !isDenied(arrival, status);
  const action = actionOf(arrival, request.method);
  if (action === undefined || (allowed && !(WRITES.has(action) || (pulls && action !== "authenticate"))))
    return undefined;
  const record = {
    time: now.toISOString(),
    ...whose(request, arrival),
    method: request.method,
    action,
    ...subjectOf(arrival.target, reply),
    status,
    allowed,
    ...(arrival.errors && { error: arrival.errors[0]?.code }),
  };
  return `${JSON.stringify(record)}\n`;
}

type AuditAction = "authenticate" | "catalog" | "pull" | "push" | "mount" | "delete" | "cancel";

const WRITES: ReadonlySet<AuditAction> = new Set(["push", "mount", "delete", "cancel"]);

/** @returns undefined for what no route took, and for what is asked of nobody */
function actionOf({ action, target }: Arrival, method: string): AuditAction | undefined {
  if (action === undefined || action === "anything") return undefined;
  return action === "push" && method === "POST" && target.query.has("mount") ? "mount" : action;
}

/** By the rules of access control or of the operator; a status alone may have other reasons. */
function isDenied({ refused, errors }: Arrival, status: number): boolean {
  if (refused) return true;
  if (status !== 401 && status !== 403) return false;
  return errors?.some((error) => error instanceof Unauthorized || error instanceof Denied) ?? true;
}

/** A name that was not verified is told apart from one that was, and so is an address. */
function whose(request: FastifyRequest, { grant }: Arrival): Record<string, string> {
  const { raw } = request;
  const { id, userAgent } = requestInfo(request);
  const claimed = grant === undefined ? claimedUser(raw.headers.authorization) : "";
  const address = trustedAddress(raw) ?? "";
  const { client: forwarded = address } = forwardingOf(raw);
  return {
    id,
    user: grant?.user ?? "",
    ...(claimed !== "" && { claimed }),
    address,
    ...(forwarded !== address && { forwarded }),
    peer: peerAddress(raw) ?? "",
    agent: userAgent,
  };
}

function subjectOf({ kind, name, reference, query }: Target, reply: FastifyReply): Record<string, string> {
  const digest =
    reply.getHeader("docker-content-digest") ?? query.get("digest") ?? query.get("mount") ?? byDigest(reference);
  const from = query.get("from");
  return {
    ...(name !== "" && { repository: name }),
    ...(reference !== "" && { [kind === "upload" ? "upload" : "reference"]: reference }),
    ...(typeof digest === "string" && { digest }),
    ...(from !== null && { from }),
  };
}

function byDigest(reference: string): string | undefined {
  return reference.includes(":") ? reference : undefined;
}
