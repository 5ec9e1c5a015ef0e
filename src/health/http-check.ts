import { splitCredentials } from "../lib/url-credentials.ts";
import type { Check } from "./check.ts";

export interface HttpCheckOptions {
  /** Of the check; says nothing secret that the URL may hold. */
  readonly name: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** That the answer must have. */
  readonly statuscode: number;
}

const MOST_REDIRECTS = 10;

/** Asks with a HEAD, and follows redirects; the headers are for the URL's own origin alone. */
export function httpCheck({ name, uri, headers, statuscode }: HttpCheckOptions): Check {
  const { url, authorization } = splitCredentials(uri);
  const own = Object.entries(headers).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const basic: [string, string][] = authorization === undefined ? [] : [["Authorization", authorization]];
  return {
    name,
    async look(signal) {
      const status = await statusOf(url, [...basic, ...own], signal);
      if (status !== statuscode) throw new Error(`downstream service returned unexpected status: ${status}`);
    },
  };
}

async function statusOf(first: URL, headers: [string, string][], signal: AbortSignal): Promise<number> {
  let url = first;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const own = url.origin === first.origin ? headers : [];
    const response = await ask(url, { method: "HEAD", headers: own, redirect: "manual", signal });
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response.status;
    if (!URL.canParse(location, url)) throw new Error("redirected to what is no URL");
    url = splitCredentials(new URL(location, url)).url;
  }
  throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function ask(uri: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(uri, init);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined; // fetch says of itself only that it failed
    throw new Error(`error while checking: ${cause instanceof Error ? cause.message : String(error)}`);
  }
}
