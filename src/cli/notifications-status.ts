import { join } from "node:path";
import { dataFolder } from "../data-folder.ts";
import { withOwnNames } from "../notifications/own-names.ts";
import { type EndpointStatus, readQueueStatus } from "../notifications/queue-status.ts";
import { Failure } from "./failure.ts";
import { type LoadFlags, load } from "./load.ts";

/**
 * Prints a line for each endpoint: what waits for it, since when, and why the last attempt failed.
 * @throws {Failure}
 */
export function notificationsStatus(path: string | undefined, flags: LoadFlags): void {
  const { config } = load(path, flags);
  const folder = dataFolder(config);
  if (folder === undefined) throw new Failure("this registry keeps nothing: its queue is in the memory of its process");
  const configured = withOwnNames(config.notifications.endpoints).map(({ name }) => name);
  const all = read(folder, configured);
  if (all.length === 0) process.stdout.write("no endpoint is configured, and nothing waits for one\n");
  for (const status of all) process.stdout.write(`${toLine(status)}\n`);
}

function read(folder: string, configured: readonly string[]): readonly EndpointStatus[] {
  try {
    return readQueueStatus(folder, configured);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(`the queue of notifications in ${join(folder)} cannot be read: ${reason}`, { cause });
  }
}

function toLine({ name, pending, bytes, oldest, failing }: EndpointStatus): string {
  const waits =
    oldest === undefined
      ? "nothing waits"
      : `${pending} event${pending === 1 ? "" : "s"} (${bytes} bytes) wait since ${oldest.toISOString()}`;
  const why = failing
    ? `; fails since ${failing.since.toISOString()}, last at ${failing.at.toISOString()}: ${failing.error}`
    : "";
  return `${name}: ${waits}${why}`;
}
