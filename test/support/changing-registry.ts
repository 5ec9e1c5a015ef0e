import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { until } from "../faults/until.ts";
import { freePort } from "./free-port.ts";
import { type Fetch, RegistryClient } from "./registry-client.ts";
import { type Configuration, type RegistryProcess, registryConfiguration, startRegistry } from "./registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

/** A registry whose configuration changes while it serves. */
export interface ChangingRegistry extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly http: RegistryClient;
  readonly folder: TemporaryFolder;
  /**
   * Replaces the file by one with `over` laid over the standard one, or by this text, and sends SIGHUP.
   * @returns what the log said until it was done with it
   */
  change(over: Configuration | string): Promise<string>;
  /** Replaces the file alone. */
  write(over: Configuration | string): Promise<void>;
  /** Sends SIGHUP. @returns what the log said until it was done with it */
  reload(): Promise<string>;
}

const DONE = /configuration reloaded: |the configuration was not reloaded/g;

export interface ChangingOptions {
  /** As for {@link registryConfiguration}. */
  readonly driver?: Configuration;
  /** What its client sends requests with. */
  readonly send?: Fetch;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** @param over laid over the standard configuration */
export async function startChanging(
  over: Configuration = {},
  { driver, send, env = {} }: ChangingOptions = {},
): Promise<ChangingRegistry> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("reload"));
  const [port, path] = [await freePort(), folder.join("config.yml")];
  const write = async (next: Configuration | string): Promise<void> => {
    const whole =
      typeof next === "string" ? next : stringify(registryConfiguration(folder.join("data"), port, next, driver));
    await writeFile(path, whole);
  };
  await write(over);
  const registry = stack.use(
    await startRegistry("wharfinger", { rootDirectory: folder.path, configurationPath: path, port, env }),
  );
  const reload = async (): Promise<string> => {
    const [before, length] = [countOf(registry.log, DONE), registry.log.length];
    process.kill(registry.pid, "SIGHUP");
    await until("the registry was done with SIGHUP", () => countOf(registry.log, DONE) > before);
    return registry.log.slice(length);
  };
  const owned = stack.move();
  return {
    ...{ registry, folder, write, reload },
    http: new RegistryClient(registry.url, send),
    change: async (next) => {
      await write(next);
      return await reload();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @param pattern global */
export function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
