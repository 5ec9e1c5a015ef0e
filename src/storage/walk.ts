import { type Child, childrenOf } from "./children.ts";
import type { FileInfo, StorageDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";

/** `skip` leaves out what is below a directory, and does nothing for a file; `stop` ends the walk. */
export type Step = "skip" | "stop" | undefined;

export interface WalkEntry {
  readonly path: string;
  readonly isDirectory: boolean;
  /** There where the listing of its folder told it, or `stat` had to be asked of what kind it is. */
  readonly info?: FileInfo;
}

export interface WalkOptions {
  /** Begin after this path, which need not exist; directories above it are not visited. */
  readonly startAfter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Visits every file and directory below `from`, not `from` itself: depth first, the names of a directory in byte order.
 * Where there is nothing at `from`, nothing is visited.
 *
 * A driver that lists more than names is asked once a folder, so what vanishes after that is visited as it was. With others,
 * which are asked for each entry, it is left out.
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
  const waiting = await entriesOf(driver, from, after);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    options.signal?.throwIfAborted();
    const { path } = next;
    const entry = await toEntry(driver, next);
    if (entry === undefined) continue;
    const step = isReached(path, after) ? undefined : await visit(entry);
    if (step === "stop") return;
    if (!entry.isDirectory || step === "skip") continue;
    for (const child of await entriesOf(driver, path, after)) waiting.push(child);
  }
}

interface Waiting {
  readonly path: string;
  readonly child: Child;
}

/** The last comes first, for a stack. */
async function entriesOf(driver: StorageDriver, folder: string, after: string | undefined): Promise<Waiting[]> {
  const children = await childrenOf(driver, folder);
  return children
    .map((child) => ({ path: folder === "/" ? `/${child.name}` : `${folder}/${child.name}`, child }))
    .filter(({ path }) => isAhead(path, after))
    .sort((a, b) => (a.path < b.path ? 1 : -1));
}

/** @returns undefined where it has vanished */
async function toEntry(driver: StorageDriver, { path, child }: Waiting): Promise<WalkEntry | undefined> {
  const { isDirectory, info } = child;
  if (isDirectory !== undefined) return { path, isDirectory, ...(info && { info }) };
  const found = await orNothing(driver.stat(path));
  return found && { path, isDirectory: found.isDirectory, info: found };
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
