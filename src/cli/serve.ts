import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { sizeThreadPool } from "../config/process.ts";
import { numberOfWorkers } from "../config/worker-rules.ts";
import type { HangUps } from "./hang-ups.ts";
import { type LoadFlags, loadRead, readFile } from "./load.ts";
import { openLogging } from "./logging.ts";
import { NewWarnings } from "./new-warnings.ts";

/**
 * Serves until a signal comes, in this process or in several that it supervises.
 * @param hangUps asks for the configuration to be read again
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serve(
  path: string | undefined,
  flags: LoadFlags,
  version: string,
  hangUps: HangUps,
): Promise<number> {
  const file = readFile(path, flags);
  const loaded = loadRead(file, path, flags);
  const { config, warnings } = loaded;
  const { maxthreads } = config.storage.driver.parameters;
  if (typeof maxthreads === "number") sizeThreadPool(maxthreads);
  const instance = randomUUID();
  await using logging = await openLogging(config.log, version, instance);
  const told = new NewWarnings(logging.log);
  told.tell(warnings);
  const start = { loaded, logging, told, path, flags, version, hangUps };
  const size = numberOfWorkers(config, availableParallelism());
  if (size === 1) return await (await import("./serve-alone.ts")).serveAlone(start);
  const { supervise } = await import("./supervise.ts"); // which needs nothing of what serves
  return await supervise({ ...start, size, file, instance });
}
