/** From a configuration to a registry that serves: the only place that knows all parts. */
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import type { CacheCounts, LookupCounts } from "./cache/lookup-counts.ts";
import { parseAddress } from "./config/address.ts";
import type { Config, Schema1Config, UrlPattern, ValidationConfig } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { isExternalUrl } from "./config/external-url.ts";
import { environment } from "./config/process.ts";
import { readProxies } from "./config/proxies.ts";
import { dataFolder } from "./data-folder.ts";
import { TrustedProxies } from "./http/forwarding.ts";
import { createServer, type HttpServer } from "./http/server.ts";
import { trustSystemCertificates } from "./lib/system-certificates.ts";
import { schedulePurge } from "./maintenance/purge-schedule.ts";
import { wrapDriver, wrapRegistry } from "./middleware.ts";
import type { Notifications } from "./notifications/notifications.ts";
import type { Observability } from "./observability.ts";
import { builtInKinds } from "./oci/built-in-kinds.ts";
import { ManifestKinds } from "./oci/manifest-kinds.ts";
import type { Schema1Options } from "./oci/schema1/kind.ts";
import { loadOwnKinds } from "./own-parts.ts";
import { openAccess, openCache, openDriver } from "./parts.ts";
import type { RegistryOptions } from "./registry/context.ts";
import { PathMapper } from "./registry/paths.ts";
import type { ReferenceRules } from "./registry/reference-rules.ts";
import type { Registry } from "./registry/registry.ts";
import { StorageRegistry } from "./registry/storage-registry.ts";
import type { Store } from "./registry/store.ts";
import type { Matcher } from "./registry/url-policy.ts";
import { readSigningKey } from "./signing-key-file.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { guardDriver } from "./storage/guarded.ts";
import type { Log } from "./telemetry/log.ts";
import { openTls } from "./tls/open-tls.ts";
import { keepSecret, randomSecret } from "./upload-secret.ts";

/** A registry that is ready to listen. Disposal closes what was opened, in reverse order. */
export interface App extends AsyncDisposable {
  readonly server: HttpServer;
  /** Where the bytes are, for people. */
  readonly location: string;
  /** Reads again what can change while it serves: the files of `http.tls`. */
  reload(): void;
  /** What runs beside requests; to be called once it listens. */
  beginMaintenance(): void;
}

export interface Surroundings {
  readonly log: Log;
  /** Outlives the registry. */
  readonly watch: Observability;
}

/**
 * @param folder from where modules that the configuration names are looked up
 * @throws {StorageError} in one sentence where the storage cannot be used
 * @throws {ConfigError} where such a module cannot be used
 */
export async function createApp(config: Config, { log, watch }: Surroundings, folder: string): Promise<App> {
  await using parts = new AsyncDisposableStack();
  if (connectsToOthers(config)) trustSystemCertificates();
  const kinds = await loadKinds(config, folder);
  const writable = !config.storage.maintenance.readonly.enabled;
  const debug = (line: string): void => log.debug(line);
  const proxies = readProxies(environment());
  const driver = watch.around(await openDriver(config.storage.driver, { writable, debug, proxies }, folder));
  const warn = (message: string, fields: Readonly<Record<string, unknown>>): void => log.warn(fields, message);
  const wrapped = await wrapDriver(guardDriver(driver, { warn }), config.middleware.storage, { folder, warn });
  const store = { driver: wrapped, paths: new PathMapper() };
  const cache = await openCache(config, warn, watch.timeCache);
  const stored = new StorageRegistry(store, kinds, toRegistryOptions(config), warn, cache);
  const registry = parts.use(await wrapRegistry(stored, config.middleware, folder));
  const counts = cache?.counts;
  if (counts) watch.tell({ cache: () => summed(counts) });
  if (cache) log.info(`using ${config.storage.cache.blobdescriptor} blob descriptor cache`);
  const access = await openAccess(config.auth, warn, folder);
  if (access) parts.use(access);
  const notifications = await openNotifications(config, log, kinds);
  if (notifications) parts.use(notifications);
  if (notifications) watch.tell({ endpoints: () => notifications.figures() });
  const observe = notifications?.observe;
  const tls = await openTls(config, log);
  if (tls) parts.use(tls);
  const server = createServer({ ...toServerOptions(config, log, registry, driver, watch), access, observe, tls });
  const owned = parts.move();
  return {
    server,
    location: driver.location,
    reload: () => tls?.reload(),
    beginMaintenance: () => {
      watch.check(driver);
      purgeUploads(owned, config, log, store);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** From this thread: that of the notifications sees to itself. */
function connectsToOthers({ http, storage, redis, auth }: Config): boolean {
  const isLocal = storage.driver.name === "filesystem" || storage.driver.name === "inmemory";
  const byName = redis !== undefined || auth.token?.jwks !== undefined;
  return !isLocal || byName || http.tls.letsencrypt.cachefile !== undefined;
}

/** @throws {ConfigError} where the environment names a proxy that cannot be one */
async function openNotifications(config: Config, log: Log, kinds: ManifestKinds): Promise<Notifications | undefined> {
  const { notifications, http, wharfinger } = config;
  if (notifications.endpoints.length === 0) return undefined;
  const { openNotifications: open } = await import("./notifications/notifications.ts");
  try {
    return open({
      kinds,
      references: notifications.events.includereferences,
      endpoints: notifications.endpoints,
      address: ownAddress(http),
      folder: dataFolder(config),
      limit: wharfinger.notifications.queuesize,
      drain: http.draintimeout,
      proxies: readProxies(environment()),
      log: (level, message) => log[level](message),
    });
  } catch (cause) {
    throw cause instanceof TypeError ? new ConfigError("notifications", cause.message, { cause }) : cause;
  }
}

/** As events name this registry. */
function ownAddress({ net, addr }: Config["http"]): string {
  return net === "unix" || addr === "" ? hostname() : `${hostname()}:${parseAddress(addr).port}`;
}

/** Dashboards know one cache. */
function summed({ blobs, revisions }: CacheCounts): LookupCounts {
  return {
    requests: blobs.requests + revisions.requests,
    hits: blobs.hits + revisions.hits,
    misses: blobs.misses + revisions.misses,
    errors: blobs.errors + revisions.errors,
  };
}

function purgeUploads(owned: AsyncDisposableStack, { storage }: Config, log: Log, store: Store): void {
  const { age, interval, dryrun, enabled } = storage.maintenance.uploadpurging;
  if (!enabled) return;
  const report = (message: string): void => log.info(message);
  const complain = (message: string): void => log.error(message);
  owned.use(schedulePurge(store, { age, interval, dryRun: dryrun, report, complain }));
}

async function loadKinds({ wharfinger, compatibility }: Config, folder: string): Promise<ManifestKinds> {
  const builtIn = builtInKinds(toSchema1Options(compatibility.schema1));
  return new ManifestKinds([...builtIn, ...(await loadOwnKinds(wharfinger.manifestkinds, folder, builtIn))]);
}

/** @throws {ConfigError} */
function toSchema1Options({ enabled, signingkeyfile }: Schema1Config): Schema1Options {
  return { enabled, key: signingkeyfile === undefined ? undefined : readSigningKey(signingkeyfile) };
}

function toRegistryOptions({ storage, validation, compatibility, wharfinger }: Config): RegistryOptions {
  return {
    deletion: storage.delete.enabled,
    readOnly: storage.maintenance.readonly.enabled,
    redirect: !storage.redirect.disable,
    references: toReferenceRules(validation),
    schema1: compatibility.schema1.enabled,
    exclusive: wharfinger.exclusive,
    tagConcurrency: storage.tag.concurrencylimit || availableParallelism(),
  };
}

function toReferenceRules({ disabled, manifests }: ValidationConfig): ReferenceRules {
  const { urls, indexes } = manifests;
  const listed = new Set(indexes.platformlist.map(({ os, architecture }) => `${os}/${architecture}`));
  return {
    urls: {
      allow: disabled ? undefined : anyOf(urls.allow),
      deny: disabled ? undefined : anyOf(urls.deny),
      foreignByDefault: disabled,
    },
    requiresChild: ({ platform }) => {
      if (indexes.platforms !== "list") return indexes.platforms === "all";
      return platform !== undefined && listed.has(`${platform.os}/${platform.architecture}`);
    },
  };
}

/** The peers join patterns by `or`; no list is another thing than an empty one. */
function anyOf(patterns: readonly UrlPattern[]): Matcher | undefined {
  return patterns.length > 0 ? (url) => patterns.some((pattern) => pattern.test(url)) : undefined;
}

function toServerOptions(
  config: Config,
  log: Log,
  registry: Registry,
  driver: StorageDriver,
  { observers, isHealthy }: Observability,
): Parameters<typeof createServer>[0] {
  const { http, storage, wharfinger, catalog, tags } = config;
  return {
    registry,
    log,
    prefix: http.prefix || "/",
    headers: http.headers,
    urls: { host: externalHost(http.host), relative: http.relativeurls },
    secret: http.secret || findSecret(config, log, driver),
    readOnly: storage.maintenance.readonly.enabled,
    maxEntries: catalog.maxentries,
    maxTags: tags.maxtags,
    stall: wharfinger.timeouts.body,
    timeouts: wharfinger.timeouts,
    observers,
    isHealthy,
    http2: !http.http2.disabled,
    h2c: http.h2c.enabled,
    connections: wharfinger.limits.connections,
    limits: wharfinger.limits,
    trustedProxies: wharfinger.trustedproxies && new TrustedProxies(wharfinger.trustedproxies),
  };
}

/** `http.host` counts only where it is a whole URL. */
function externalHost(host: string): URL | undefined {
  return isExternalUrl(host) ? new URL(host) : undefined;
}

function findSecret({ wharfinger, storage }: Config, log: Log, driver: StorageDriver): string {
  if (storage.maintenance.readonly.enabled) return randomSecret(); // signs nothing: there are no uploads
  const folder =
    wharfinger.datadir ?? (storage.driver.name === "filesystem" ? join(driver.location, "wharfinger") : undefined);
  try {
    if (folder !== undefined) return keepSecret(folder);
    log.warn(withRandomSecret());
  } catch (error) {
    log.warn(withRandomSecret(`, because none can be kept: ${error instanceof Error ? error.message : error}`));
  }
  return randomSecret();
}

function withRandomSecret(why = ""): string {
  return `No HTTP secret provided - generated random secret${why}. This may cause problems with uploads if multiple registries are behind a load-balancer. To provide a shared secret, set http.secret in the configuration or REGISTRY_HTTP_SECRET.`;
}
