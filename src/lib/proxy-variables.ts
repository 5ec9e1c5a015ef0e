/** From the proxies of the environment, as Go and so the peers read them, to what Node's agents take. */
import { isIP, isIPv4 } from "node:net";

/** Through which proxies other servers are reached. */
export interface Proxies {
  /** For `http:` URLs. */
  readonly http?: string | undefined;
  /** For `https:` URLs. */
  readonly https?: string | undefined;
  /** Names and addresses that are reached directly, with commas between them. */
  readonly except?: string | undefined;
}

/** For the option `proxyEnv` of Node's agents. */
export interface ProxyVariables {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY: string;
}

/** This machine is never reached through another one. */
const HERE = ["localhost", "127.0.0.0-127.255.255.255", "::1", "[::1]"];

/** @throws {TypeError} for a proxy that cannot be one */
export function toProxyVariables({ http, https, except = "" }: Proxies): ProxyVariables {
  const entries = except.split(",").map((entry) => entry.trim().toLowerCase());
  return {
    ...(http && { HTTP_PROXY: toProxy("HTTP_PROXY", http) }),
    ...(https && { HTTPS_PROXY: toProxy("HTTPS_PROXY", https) }),
    NO_PROXY: [...HERE, ...entries.filter((entry) => entry !== "").map(toException)].join(),
  };
}

/** `host:port` is meant as `http://host:port`. The value may hold a password and is not told. */
function toProxy(name: string, text: string): string {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== "") return url.href;
  throw new TypeError(`the variable ${name} must be the URL of a proxy, such as http://proxy.example:3128`);
}

/** A name stands for all names below it, too; `10.0.0.0/8` for a range. */
function toException(entry: string): string {
  const [address = "", bits] = entry.split("/");
  if (isIPv4(address) && bits !== undefined && /^\d{1,2}$/.test(bits) && Number(bits) <= 32) {
    return rangeOf(address, Number(bits));
  }
  return /^[^.*:]/.test(entry) && !entry.includes(":") && isIP(entry) === 0 ? `.${entry}` : entry;
}

/** As Node has it: first and last address with a hyphen between them. */
function rangeOf(address: string, bits: number): string {
  const size = 2 ** (32 - bits);
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = number - (number % size);
  return `${toAddress(first)}-${toAddress(first + size - 1)}`;
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
