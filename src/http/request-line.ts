/**
 * What the log says of a request: `response completed`, or `response completed with error` once for each of its first
 * errors. As in the peers, nothing of what no handler took and of clients that left; the access log has those too.
 *
 * @see ops, section 6
 */
import type { RegistryError } from "../oci/errors.ts";
import { sentBytes, statusOf } from "./answered.ts";
import type { Exchange } from "./exchange.ts";
import { maskedUrl } from "./masked-url.ts";
import { requestInfo } from "./request-info.ts";
import type { Target, TargetKind } from "./target.ts";

export interface RequestLine {
  readonly level: "info" | "error";
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function requestLines(exchange: Exchange): readonly RequestLine[] {
  const { errors } = exchange;
  const status = statusOf(exchange);
  if (!errors && status >= 400) return [];
  const fields = fieldsOf(exchange, status);
  return errors ? errorLines(errors, fields) : [{ level: "info", msg: "response completed", fields }];
}

const WITH_ERROR = "response completed with error";

/** Of one request: a manifest may name tens of thousands of blobs that are not there. */
const MOST = 16;

function errorLines(errors: readonly RegistryError[], fields: RequestLine["fields"]): readonly RequestLine[] {
  const unsaid = errors.length - MOST;
  return errors.slice(0, MOST).map((error, index) => ({
    level: "error",
    msg: WITH_ERROR,
    fields: { ...fields, ...errorFields(error), ...(unsaid > 0 && index === MOST - 1 && { "err.unsaid": unsaid }) },
  }));
}

function fieldsOf(exchange: Exchange, status: number): Record<string, unknown> {
  const { request, reply, target, contentType, grant, time } = exchange;
  const { id, address, host, method, userAgent } = requestInfo(exchange);
  const { referer } = request.headers;
  const type = reply.getHeader("content-type");
  return {
    "http.request.id": id,
    "http.request.method": method,
    "http.request.host": host,
    "http.request.uri": maskedUrl(request.url ?? ""),
    "http.request.remoteaddr": address,
    ...(userAgent && { "http.request.useragent": userAgent }),
    ...(referer && { "http.request.referer": maskedUrl(referer) }),
    ...(contentType && { "http.request.contenttype": contentType }),
    ...variables(target),
    ...(grant && { "auth.user.name": grant.user }),
    "http.response.status": status,
    "http.response.written": sentBytes(exchange),
    ...(type !== undefined && { "http.response.contenttype": type }),
    "http.response.duration": printDuration(performance.now() - time),
  };
}

/** What a target's reference is called, by its kind. */
const REFERENCE: Readonly<Partial<Record<TargetKind, string>>> = {
  manifest: "vars.reference",
  blob: "vars.digest",
  referrers: "vars.digest",
  upload: "vars.uuid",
};

function variables({ kind, name, reference }: Target): Record<string, string> {
  if (name === "") return {};
  const key = REFERENCE[kind];
  return key === undefined ? { "vars.name": name } : { "vars.name": name, [key]: reference };
}

function errorFields({ code, message, detail }: RegistryError): Record<string, unknown> {
  const fields = { "err.code": code.toLowerCase().replaceAll("_", " "), "err.message": message };
  return detail === undefined || detail === null ? fields : { ...fields, "err.detail": detail };
}

/** As Go prints it, to the microsecond: `842µs`, `3.665ms`, `1.2s`. */
function printDuration(ms: number): string {
  const micros = Math.round(ms * 1000);
  if (micros < 1000) return `${micros}µs`;
  return micros < 1_000_000 ? `${micros / 1000}ms` : `${micros / 1_000_000}s`;
}
