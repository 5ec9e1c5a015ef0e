import type { FileInfo, StorageDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";

/** `skip` leaves out what is below a directory, and does nothing for a file; `stop` ends the walk. */
export type Step = "skip" | "stop" | undefined;

export interface WalkEntry extends FileInfo {
  readonly path: string;
}

export interface WalkOptions {
  /** Begin after this path, which need not exist; directories above it are not visited. */
  readonly startAfter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Visits every file and directory below `from`, not `from` itself: depth first, the names of a directory in byte order.
 * What vanishes on the way is left out; where there is nothing at `from`, nothing is visited.
 *
 * @see storage-layout, section 6
 */
export async function walk(
  driver: StorageDriver,
  from: string,
  visit: (entry: WalkEntry) => Step | Promise<Step>,
  options: WalkOptions = {},
): Promise<void> {
  const after = options.startAfter;
  const waiting = await childrenOf(driver, from, after);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    options.signal?.throwIfAborted();
    const info = await orNothing(driver.stat(path));
    if (info === undefined) continue;
    const step = isReached(path, after) ? undefined : await visit({ path, ...info });
    if (step === "stop") return;
    if (!info.isDirectory || step === "skip") continue;
    for (const child of await childrenOf(driver, path, after)) waiting.push(child);
  }
}

/** The last comes first, for a stack. */
async function childrenOf(driver: StorageDriver, path: string, after: string | undefined): Promise<string[]> {
  const names = (await orNothing(driver.list(path))) ?? [];
  const paths = names.map((name) => (path === "/" ? `/${name}` : `${path}/${name}`));
  return paths.filter((child) => isAhead(child, after)).sort((a, b) => (a < b ? 1 : -1));
}

/** Whether `path`, or something below it, comes after `after`. */
function isAhead(path: string, after: string | undefined): boolean {
  return after === undefined || isReached(path, after) || orderOf(path) > orderOf(after);
}

/** Whether `path` is `after` or above it. */
function isReached(path: string, after: string | undefined): boolean {
  return after !== undefined && (after === path || after.startsWith(`${path}/`));
}

/** In the order of a walk, `/` comes before every other character. */
function orderOf(path: string): string {
  return path.replaceAll("/", "\0");
}

async function orNothing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof PathNotFound) return undefined;
    throw error;
  }
}
