import type { Environment } from "./environment.ts";

/** Through which proxies other servers are reached, as the environment says it. */
export interface Proxies {
  /** For `http:` URLs. */
  readonly http: string | undefined;
  /** For `https:` URLs. */
  readonly https: string | undefined;
  /** Names and addresses that are reached directly, with commas between them. */
  readonly except: string | undefined;
}

/** As in the peers, upper case goes before lower case. */
export function readProxies(env: Environment): Proxies {
  const read = (name: string): string | undefined => env[name] || env[name.toLowerCase()] || undefined;
  return { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), except: read("NO_PROXY") };
}
