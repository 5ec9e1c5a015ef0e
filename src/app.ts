/** From a configuration to a registry that answers requests: the only place that knows all parts. */
import type { RequestListener } from "node:http";
import type { AccessController } from "./auth/access-controller.ts";
import { type ComposedRegistry, composeRegistry } from "./composed-registry.ts";
import { type Composition, warnIn } from "./composition.ts";
import type { Config } from "./config/config.ts";
import { InFlight } from "./http/in-flight.ts";
import { endWithOthers } from "./http/outbox.ts";
import { createApi } from "./http/server.ts";
import type { SharedPart } from "./lib/shared-parts.ts";
import { trustSystemCertificates } from "./lib/system-certificates.ts";
import { schedulePurge } from "./maintenance/purge-schedule.ts";
import { beginChecks, openObservability } from "./observability.ts";
import type { ManifestKinds } from "./oci/manifest-kinds.ts";
import { openAccess } from "./parts.ts";
import { PathMapper } from "./registry/paths.ts";
import { loadKinds } from "./registry-options.ts";
import { takeLimits, takeSecret, toServerOptions } from "./server-options.ts";
import { openNotifications } from "./told-endpoints.ts";

/** A registry as one configuration wants it. Disposal closes what no other one goes on with, in reverse order. */
export interface App extends AsyncDisposable {
  readonly config: Config;
  readonly answer: RequestListener;
  /** Where the bytes are, for people. */
  readonly location: string;
  /** Goes on in new files where logs were moved away. */
  reopenFiles(): void;
  /** Begins notifications and what runs beside requests. To be called once, before the first request. */
  begin(): Promise<void>;
  /** Disposes of it once its requests have ended. To be called when it gets no more of them. */
  retire(): Promise<void>;
}

/**
 * @throws {StorageError} in one sentence where the storage cannot be used
 * @throws {ConfigError} where something else that the configuration names cannot be used
 */
export async function createApp(composition: Composition): Promise<App> {
  const { config, log } = composition;
  await using parts = new AsyncDisposableStack();
  if (connectsToOthers(config)) trustSystemCertificates();
  const inFlight = new InFlight();
  const watch = parts.use(await openObservability(config, composition));
  const kinds = parts.use(await takeKinds(composition)).value;
  const composed = parts.use(await composeRegistry(composition, kinds));
  const { location } = composed.driver.value.bare;
  const access = parts.use(await takeAccess(composition))?.value;
  const limits = parts.use(await takeLimits(composition)).value;
  const secret = parts.use(await takeSecret(composition, location)).value(config);
  const notifications = parts.use(await openNotifications(composition, kinds));
  let isRetired = false;
  const answer = createApi({
    ...toServerOptions(config),
    ...{ registry: composed.registry, log, access, limits, secret },
    observe: notifications?.observe,
    observers: [inFlight.observer, ...watch.observers],
    isHealthy: watch.isHealthy,
    isRetired: () => isRetired,
    end: endWithOthers,
  });
  const owned = parts.move();
  const beside = owned.use(new AsyncDisposableStack());
  let end: Promise<void> | undefined;
  const dispose = (): Promise<void> => {
    end ??= owned.disposeAsync();
    return end;
  };
  return {
    config,
    location,
    answer,
    reopenFiles: () => watch.reopenFiles(),
    async begin() {
      composition.instruments.show(config);
      await notifications?.begin();
      beside.use(await beginChecks(config, composed.driver, composition));
      beside.use(await takePurge(composition, composed));
    },
    async retire() {
      isRetired = true;
      await beside.disposeAsync();
      await inFlight.end();
      await dispose();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** From this thread: that of the notifications sees to itself. */
function connectsToOthers({ http, storage, redis, auth }: Config): boolean {
  const isLocal = storage.driver.name === "filesystem" || storage.driver.name === "inmemory";
  const byName = redis !== undefined || auth.token?.jwks !== undefined;
  return !isLocal || byName || http.tls.letsencrypt.cachefile !== undefined;
}

async function takeKinds({ config, shared, folder }: Composition): Promise<SharedPart<ManifestKinds>> {
  const { wharfinger, compatibility } = config;
  return await shared.take("kinds", [wharfinger.manifestkinds, compatibility.schema1], () => loadKinds(config, folder));
}

/** @returns undefined where everybody may do everything */
async function takeAccess(composition: Composition): Promise<SharedPart<AccessController | undefined> | undefined> {
  const { config, shared, folder, isStart } = composition;
  return await shared.take("access", config.auth, async (stack) =>
    stack.use(await openAccess(config.auth, { warn: warnIn(composition), folder, isStart })),
  );
}

/** One at a time, whatever else of the configuration changes; none where nothing may be written. */
async function takePurge(
  { config, shared, log, peers }: Composition,
  { storage }: ComposedRegistry,
): Promise<AsyncDisposable | undefined> {
  const { uploadpurging, readonly } = config.storage.maintenance;
  const { age, interval, dryrun, enabled } = uploadpurging;
  if (!enabled || readonly.enabled) return undefined;
  return await shared.take("purge", [storage.mark, age, interval, dryrun], async (stack) => {
    const report = (message: string): void => log.info(message);
    const complain = (message: string): void => log.error(message);
    const store = { driver: storage.value, paths: new PathMapper() };
    const begin = (): AsyncDisposable => schedulePurge(store, { age, interval, dryRun: dryrun, report, complain });
    return stack.use(peers ? peers.whileOwner("upload purging", begin) : begin());
  });
}
