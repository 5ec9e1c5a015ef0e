/** What another configuration changes while the registry serves. */
import { isDeepStrictEqual } from "node:util";
import { asFile, isPattern } from "./as-file.ts";
import type { Config, DriverConfig, Parameters } from "./config.ts";
import { isSpecifier } from "./specifier.ts";

/** Keys in which two configurations differ, as a file has them and in its order; never what they are. */
export function changedKeys(before: Config, after: Config): readonly string[] {
  return differences(asFile(before), asFile(after), "");
}

function differences(before: unknown, after: unknown, path: string): readonly string[] {
  if (isDeepStrictEqual(comparable(before), comparable(after))) return [];
  if (!isSection(before) || !isSection(after) || isFree(path)) return [path];
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) => differences(before[name], after[name], path === "" ? name : `${path}.${name}`));
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isPattern(value);
}

/** Whose names the operator makes up: in parts of their own anything may be a secret. */
function isFree(path: string): boolean {
  return path === "http.headers" || path === "log.fields" || isSpecifier(path.slice(path.indexOf(".") + 1));
}

/** Patterns are equal where they are written alike; what is undefined is not there. */
function comparable(value: unknown): unknown {
  if (isPattern(value)) return value.source;
  if (Array.isArray(value)) return value.map(comparable);
  if (!isSection(value) || value instanceof URL) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, comparable(member)]));
}

/**
 * `next` as far as it can take effect without a restart: what belongs to the listener, to the process or to the place of
 * the data stays as it is in `running`, and so do caches: two of them side by side would not hear of each other's
 * deletions.
 */
export function withoutRestart(running: Config, next: Config): Config {
  const { addr, net, secret, tls, debug, http2, h2c } = running.http;
  const { timeouts, datadir, manifestkinds, notifications, exclusive, workers } = running.wharfinger;
  const driver = driverWithoutRestart(running.storage.driver, next.storage.driver);
  return {
    ...next,
    storage: { ...next.storage, driver, cache: running.storage.cache },
    http: { ...next.http, addr, net, secret, tls, debug, http2, h2c },
    redis: running.redis,
    wharfinger: { ...next.wharfinger, timeouts, datadir, manifestkinds, notifications, exclusive, workers },
  };
}

/** Of S3 where the bucket is; the rest of it, such as credentials, may change. */
const PLACE = ["region", "regionendpoint", "bucket", "rootdirectory"] as const;

function driverWithoutRestart(running: DriverConfig, next: DriverConfig): DriverConfig {
  if (running.name !== next.name || !/^s3(?:aws)?$/.test(next.name)) return running;
  const { parameters } = running;
  const others = Object.entries(next.parameters).filter(([name]) => !PLACE.some((part) => part === name));
  const place: Parameters = Object.fromEntries(
    PLACE.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : [])),
  );
  return { name: next.name, parameters: { ...Object.fromEntries(others), ...place } };
}
