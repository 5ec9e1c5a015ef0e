/** The configuration as a file would have it, for people to read: everything that counts, and no secret. */
import { stringify } from "yaml";
import { shownUrl } from "../lib/outgoing-url.ts";
import { asFile, isPattern } from "./as-file.ts";
import type { Config } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { DURATIONS } from "./keys.ts";
import { isSpecifier } from "./specifier.ts";

const MASK = "***";

/** YAML, with the defaults filled in. It can be loaded again where nothing in it is masked. */
export function showConfig(config: Config): string {
  return stringify(shown(asFile(config), ""), { lineWidth: 0 });
}

/** @param path of the key, as in {@link DURATIONS} */
function shown(value: unknown, path: string): unknown {
  if (isOfOwnAccess(path) && !(typeof value === "object" && value !== null)) return MASK;
  if (Array.isArray(value)) return value.map((item) => shown(item, `${path}[]`));
  if (typeof value === "number" && isDuration(path)) return formatDuration(value);
  if (typeof value === "string" && path === "notifications.endpoints[].url") return shownUrl(value);
  if (typeof value === "string") return isSecret(path) && value !== "" ? MASK : withoutCredentials(value);
  if (value instanceof URL) return withoutCredentials(value.href);
  if (isPattern(value)) return value.source;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, shown(member, path === "" ? key : `${path}.${key}`)]));
}

function isDuration(path: string): boolean {
  return DURATIONS.has(path) || path.startsWith("wharfinger.timeouts.");
}

/** A controller of the operator's own may take a key under any name. */
function isOfOwnAccess(path: string): boolean {
  return path.startsWith("auth.") && isSpecifier(path.slice("auth.".length));
}

/**
 * By the last name of the key, or in the parameters of parts that we may not know by any; and headers that are sent to
 * others.
 */
function isSecret(path: string): boolean {
  if (/^(?:notifications\.endpoints|health\.http)\[\]\.headers\./.test(path)) return true;
  const names = path.replaceAll("[]", "").split(".");
  return (OF_PARTS.test(path) ? names.slice(1) : names.slice(-1)).some((name) => SECRET.test(name));
}

const OF_PARTS = /^(?:storage|middleware)\./;

const SECRET =
  /secret|passw|passphrase|token|credential|authorization|cookie|api_?key|license_?key|account_?key|^(?:pass|pwd|pin|sas|auth|dsn|connection_?string)$/i;

/** `https://user:password@host/?key=value`, where whatever stands before the host may be a key by itself. */
function withoutCredentials(text: string): string {
  if (text.includes("PRIVATE KEY-----")) return MASK;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return text
    .replace(/^([^/]*\/\/[^/?#:@]*):[^/?#]*@/, `$1:${MASK}@`)
    .replace(/^([^/]*\/\/)[^/?#:@]+@/, `$1${MASK}@`)
    .replace(/([?&][^=&#]+=)[^&#]+/g, `$1${MASK}`);
}
