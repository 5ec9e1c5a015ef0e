import { type App, createApp } from "../app.ts";
import type { Composition } from "../composition.ts";
import { changedKeys, withoutRestart } from "../config/changes.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Log } from "../telemetry/log.ts";
import type { Logging } from "./logging.ts";

export interface Reloading {
  /** Has files read or opened again that may have been replaced, whatever the configuration says now. */
  readonly renew: () => void;
  /** @throws {Error} in one sentence for the operator, where there is none that can be used */
  readonly load: () => LoadedConfig;
  readonly logging: Logging;
  /** All that another app is made of but its configuration. */
  readonly surroundings: Omit<Composition, "config">;
  readonly running: App;
  /** Has `app` serve from now on. */
  readonly follow: (app: App) => Promise<void>;
}

/**
 * Has the configuration that is there now take effect, or leaves everything as it is and says why. Never rejects.
 */
export async function reload(reloading: Reloading): Promise<void> {
  const { log } = reloading.logging;
  try {
    reloading.renew();
    const loaded = reloading.load();
    for (const warning of loaded.warnings) log.warn(warning);
    await change(reloading, loaded.config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(`the configuration was not reloaded, and the one before stays: ${reason}`);
  }
}

async function change({ running, logging, surroundings, follow }: Reloading, wanted: Config): Promise<void> {
  const { log } = logging;
  const next = withoutRestart(running.config, wanted);
  sayWhatStays(changedKeys(next, wanted), log);
  const changed = changedKeys(running.config, next);
  if (changed.length === 0) return log.info("configuration reloaded: nothing changed");
  await using failed = new AsyncDisposableStack();
  const app = failed.use(await createApp({ ...surroundings, config: next }));
  await logging.change(next.log);
  await follow(app);
  failed.move();
  log.info(`configuration reloaded: ${changed.join(", ")} changed`);
}

function sayWhatStays(keys: readonly string[], log: Log): void {
  for (const key of keys) log.warn(`${key} changed; restart for it to take effect`);
}
