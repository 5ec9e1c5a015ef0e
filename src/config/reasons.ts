/** Why a key does not do what it says, by the key or by a section with all that is below; a message says it as it is. */
export const REASONS: Readonly<Record<string, string>> = {
  "storage.azure": "the driver is not built yet",
  "storage.gcs": "the driver is not built yet",
  "storage.swift": "distribution dropped the driver, and Wharfinger does not have it",
  "storage.oss": "distribution dropped the driver, and Wharfinger does not have it",
  "storage.rados": "distribution dropped the driver, and Wharfinger does not have it",
  "redis.minidleconns": "one connection, which is always open, carries all commands at once",
  "redis.readonly": "replicas lag behind deletions and are never asked",
  "redis.routebylatency": "replicas lag behind deletions and are never asked",
  "redis.routerandomly": "replicas lag behind deletions and are never asked",
  proxy: "the pull-through cache is not built yet",
  reporting: "nothing is reported to Bugsnag or New Relic",
};

/** That of the key, or of the section nearest to it. */
export function reasonFor(path: string): string | undefined {
  const steps = path.split(".");
  const paths = steps.map((_, index) => steps.slice(0, steps.length - index).join("."));
  const found = paths.find((one) => Object.hasOwn(REASONS, one));
  return found === undefined ? undefined : REASONS[found];
}
