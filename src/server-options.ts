/** What a configuration says of the API, in the words of the edge. */
import { join } from "node:path";
import type { Composition } from "./composition.ts";
import type { Config } from "./config/config.ts";
import { isExternalUrl } from "./config/external-url.ts";
import { TrustedProxies } from "./http/forwarding.ts";
import { Limits } from "./http/limits.ts";
import type { ServerOptions } from "./http/server.ts";
import type { SharedPart } from "./lib/shared-parts.ts";
import { limitClasses } from "./registry/class-policy.ts";
import type { Log } from "./telemetry/log.ts";
import { keepSecret, randomSecret } from "./upload-secret.ts";

type Composed = "registry" | "log" | "secret";

export function toServerOptions(config: Config): Omit<ServerOptions, Composed> {
  const { http, storage, wharfinger, catalog, tags, policy } = config;
  return {
    limit: limitClasses(policy.repository.classes),
    prefix: http.prefix || "/",
    headers: http.headers,
    urls: { host: externalHost(http.host), relative: http.relativeurls },
    readOnly: storage.maintenance.readonly.enabled,
    maxEntries: catalog.maxentries,
    maxTags: tags.maxtags,
    stall: wharfinger.timeouts.body,
    trustedProxies: wharfinger.trustedproxies && new TrustedProxies(wharfinger.trustedproxies),
  };
}

/** `http.host` counts only where it is a whole URL. */
function externalHost(host: string): URL | undefined {
  return isExternalUrl(host) ? new URL(host) : undefined;
}

/** What was counted goes on to count. */
export async function takeLimits({ config, shared, peers }: Composition): Promise<SharedPart<Limits>> {
  const { uploads, address, user } = config.wharfinger.limits;
  const limits = { uploads, address, user };
  return await shared.take("limits", limits, async (stack) => stack.use(new Limits(limits, undefined, peers?.limits)));
}

/** The key that signs the state of uploads: that of the configuration before, where it had one. */
export async function takeSecret(composition: Composition, location: string): Promise<SharedPart<SecretOnce>> {
  const { config, shared, log, peers } = composition;
  return await shared.take("secret", null, async () => {
    let found: string | undefined;
    return ({ http, storage }) => {
      if (storage.maintenance.readonly.enabled) return randomSecret(); // signs nothing: there are no uploads
      found ??= http.secret || findSecret(config, log, location, peers);
      return found;
    };
  });
}

type SecretOnce = (config: Config) => string;

/** All workers have the same, also where it is kept nowhere. */
function findSecret({ wharfinger, storage }: Config, log: Log, location: string, peers: Composition["peers"]): string {
  const folder =
    wharfinger.datadir ?? (storage.driver.name === "filesystem" ? join(location, "wharfinger") : undefined);
  try {
    if (folder !== undefined) return keepSecret(folder);
    log.warn(withRandomSecret());
  } catch (error) {
    log.warn(withRandomSecret(`, because none can be kept: ${error instanceof Error ? error.message : error}`));
  }
  return peers?.secret ?? randomSecret();
}

function withRandomSecret(why = ""): string {
  return `No HTTP secret provided - generated random secret${why}. This may cause problems with uploads if multiple registries are behind a load-balancer. To provide a shared secret, set http.secret in the configuration or REGISTRY_HTTP_SECRET.`;
}
