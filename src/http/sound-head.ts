/**
 * What the runtime lets pass, and what servers and proxies understand in more than one way.
 *
 * @see RFC 9112, sections 3.2 and 6.1; RFC 9113, section 8.3.1
 */
import type { IncomingMessage, RequestListener } from "node:http";
import { http } from "../lib/node-http.ts";
import { refuseHead } from "./client-error.ts";

/** Keeps requests from `handler` of which nobody can say what they are. */
export function onlySound(handler: RequestListener): RequestListener {
  return (request, response) => {
    const problem = problemOf(request);
    if (problem === undefined) handler(request, response);
    else refuseHead(response, 400, problem);
  };
}

/** In HTTP/1 the runtime knows no other; in HTTP/2 it takes any. */
const KNOWN: ReadonlySet<string> = new Set(http.METHODS);

function problemOf(request: IncomingMessage): string | undefined {
  const { method = "", rawHeaders, httpVersion } = request;
  if (!KNOWN.has(method)) return "the request has a method that HTTP does not know";
  if (httpVersion === "1.1" && request.headers.host === undefined) return "the request names no host";
  if (namesSeveralHosts(rawHeaders)) return "the request names more than one host";
  if (httpVersion === "1.0" && request.headers["transfer-encoding"] !== undefined) {
    return "a request of HTTP/1.0 cannot have a Transfer-Encoding";
  }
  return undefined;
}

/** In HTTP/2, `Host` may repeat the authority, in other letters, and with the port that the scheme has anyway or without. */
function namesSeveralHosts(rawHeaders: readonly string[]): boolean {
  let host: string | undefined;
  let authority: string | undefined;
  let scheme: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name === ":authority") authority = rawHeaders[index + 1];
    if (name === ":scheme") scheme = rawHeaders[index + 1];
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (host !== undefined) return true;
    host = rawHeaders[index + 1];
  }
  return host !== undefined && authority !== undefined && !isSameHost(host, authority, scheme);
}

function isSameHost(one: string, other: string, scheme: string | undefined): boolean {
  return one === other || withoutPort(one, scheme) === withoutPort(other, scheme);
}

const PORTS: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

function withoutPort(host: string, scheme = ""): string {
  const port = PORTS[scheme.toLowerCase()];
  const lower = host.toLowerCase();
  return port !== undefined && lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
