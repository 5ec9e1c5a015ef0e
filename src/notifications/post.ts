import type { IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { http } from "../lib/node-http.ts";
import type { ProxyVariables } from "../lib/proxy-variables.ts";
import { trustSystemCertificates } from "../lib/system-certificates.ts";

/** What came of sending one event. A promise of it rejects where no answer came. */
export interface Answer {
  readonly status: number;
  /** As "200 OK". */
  readonly text: string;
}

export type Post = (body: string, signal: AbortSignal) => Promise<Answer>;

export interface PostOptions {
  readonly url: string;
  readonly contentType: string;
  /** Added to the others; sent to this origin alone. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** ms for all of it. */
  readonly timeout: number;
  readonly proxies: ProxyVariables;
}

const MOST_REDIRECTS = 10;

/** Bytes of an answer's body that are read for the connection's sake. */
const BODY_LIMIT = 64 * 1024;

/** How long a connection is kept for the next event. ms */
const IDLE = 4000;

/**
 * POSTs to an endpoint. Redirects are followed as the peers' library does it: 307 and 308 repeat the request, others become
 * a GET; without a Location they are answers.
 */
export function postTo({ url, contentType, headers, timeout, proxies }: PostOptions): Post {
  const origin = new URL(url);
  const connect = connector(proxies);
  const content = { "Content-Type": [contentType], "User-Agent": ["wharfinger"] };
  const send = async (body: string, signal: AbortSignal): Promise<Answer> => {
    let at: Hop = { url: origin, body };
    for (let redirects = 0; ; redirects += 1) {
      const own = at.url.origin === origin.origin ? headers : {};
      const response = await connect(at, joined(at.body === undefined ? {} : content, own), signal);
      const next = await follow(at, response);
      if (next === undefined) return await toAnswer(response);
      if (redirects === MOST_REDIRECTS) throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
      at = next;
    }
  };
  return async (body, stop) => {
    const late = AbortSignal.timeout(timeout);
    try {
      return await send(body, AbortSignal.any([stop, late]));
    } catch (error) {
      throw late.aborted ? new Error(`no answer within ${timeout} ms`, { cause: error }) : error;
    }
  };
}

interface Hop {
  readonly url: URL;
  /** A GET where there is none. */
  readonly body: string | undefined;
}

type Headers = Readonly<Record<string, readonly string[]>>;

/** Agents of its own, so that one endpoint's connections are not another's. */
function connector(
  proxies: ProxyVariables,
): (hop: Hop, headers: Headers, signal: AbortSignal) => Promise<IncomingMessage> {
  const options = { keepAlive: true, timeout: IDLE, proxyEnv: { ...proxies } };
  const agent = new http.Agent(options);
  let https: HttpsAgent | undefined;
  return (hop, headers, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asked = { method: hop.body === undefined ? "GET" : "POST", headers: copied(headers), signal };
    if (hop.url.protocol === "https:") {
      trustSystemCertificates(); // as the peers do: an endpoint's certificate is often an organisation's own
      https ??= new HttpsAgent(options);
      requestHttps(hop.url, { ...asked, agent: https })
        .on("response", resolve)
        .on("error", reject)
        .end(hop.body);
    } else if (hop.url.protocol === "http:") {
      http
        .request(hop.url, { ...asked, agent })
        .on("response", resolve)
        .on("error", reject)
        .end(hop.body);
    } else {
      reject(new Error(`redirected to ${hop.url.protocol}, which is not followed`));
    }
    return promise;
  };
}

function copied(headers: Headers): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]));
}

/** One after the other, names in any case. A User-Agent replaces. */
function joined(below: Headers, above: Headers): Headers {
  const result: Record<string, readonly string[]> = { ...below };
  for (const [name, values] of Object.entries(above)) {
    const lower = name.toLowerCase();
    const same = Object.keys(result).find((known) => known.toLowerCase() === lower);
    if (lower === "host") continue; // it is the URL's
    result[same ?? name] = same === undefined || lower === "user-agent" ? values : [...(result[same] ?? []), ...values];
  }
  return result;
}

async function follow({ url, body }: Hop, response: IncomingMessage): Promise<Hop | undefined> {
  const { statusCode = 0, headers } = response;
  if (headers.location === undefined || !REDIRECTS.has(statusCode)) return undefined;
  await discard(response);
  if (!URL.canParse(headers.location, url)) throw new Error("redirected to what is no URL");
  return { url: new URL(headers.location, url), body: REPEATED.has(statusCode) ? body : undefined };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const REPEATED: ReadonlySet<number> = new Set([307, 308]);

async function toAnswer(response: IncomingMessage): Promise<Answer> {
  const { statusCode = 0, statusMessage = "" } = response;
  await discard(response);
  return { status: statusCode, text: `${statusCode} ${statusMessage}`.trim() };
}

/** Reads the body so that the connection can be used again; one that is long or does not come costs the connection. */
async function discard(response: IncomingMessage): Promise<void> {
  let length = 0;
  try {
    for await (const chunk of response) {
      length += (chunk as Buffer).length;
      if (length > BODY_LIMIT) return;
    }
  } catch {
    // the status has come
  }
}
