import { type App, createApp } from "../app.ts";
import type { Composition } from "../composition.ts";
import { changedKeys, withoutRestart } from "../config/changes.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { LoadedConfig } from "../config/load.ts";
import { type Locate, locatedError } from "../config/located-error.ts";
import type { Logging } from "./logging.ts";
import type { NewWarnings } from "./new-warnings.ts";
import { sayNothingChanged, sayWhatChanged, sayWhatStays } from "./said-changes.ts";

/** What a change of the configuration needs of the registry that serves. */
export interface Changing {
  /** All that another app is made of but its configuration. */
  readonly surroundings: Omit<Composition, "config" | "isStart">;
  readonly running: App;
  /** Has `app` serve from now on. */
  readonly follow: (app: App) => Promise<void>;
}

export interface Reloading {
  /** Has files read or opened again that may have been replaced, whatever the configuration says now. */
  readonly renew: () => void;
  readonly changing: () => Changing;
  /** @throws {Error} in one sentence for the operator, where there is none that can be used */
  readonly load: () => LoadedConfig;
  /** Has said what there was to say of the configuration so far. */
  readonly told: NewWarnings;
  readonly logging: Logging;
}

/**
 * Has the configuration that is there now take effect, or leaves everything as it is and says why. Never rejects.
 */
export async function reload(reloading: Reloading): Promise<void> {
  const { log } = reloading.logging;
  try {
    reloading.renew();
    const loaded = reloading.load();
    reloading.told.tell(loaded.warnings);
    await located(change(reloading, loaded.config), loaded.locate);
  } catch (error) {
    sayNothingChanged(error instanceof Error ? error.message : String(error), log);
  }
}

async function change({ changing, logging }: Reloading, wanted: Config): Promise<void> {
  const { log } = logging;
  const parts = changing();
  const running = parts.running.config;
  const next = withoutRestart(running, wanted);
  sayWhatStays(changedKeys(next, wanted), log);
  if (changedKeys(running, next).length === 0) return sayWhatChanged([], log);
  await goOn(parts, next);
  await logging.change(next.log); // not before: else lines would change where nothing else does
  sayWhatChanged(changedKeys(running, next), log);
}

/**
 * Has an app of another configuration serve, or leaves everything as it is.
 * @param agreed asked when there is one: nothing is changed where it rejects
 */
export async function goOn(
  { surroundings, follow }: Changing,
  next: Config,
  agreed?: () => Promise<void>,
): Promise<void> {
  await using failed = new AsyncDisposableStack();
  const app = failed.use(await createApp({ ...surroundings, config: next, isStart: false }));
  await agreed?.();
  await follow(app);
  failed.move();
}

/** @throws {ConfigError} with the place of its key */
export async function located(work: Promise<void>, locate: Locate): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw error instanceof ConfigError ? locatedError(error, locate) : error;
  }
}
