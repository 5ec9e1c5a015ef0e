/** The storage and what is known of it: parts that a registry hands on to that of the next configuration. */
import { announcingCache } from "./cache/deletions.ts";
import type { DescriptorCache } from "./cache/descriptor-cache.ts";
import type { CacheCounts, LookupCounts } from "./cache/lookup-counts.ts";
import { type Composition, warnIn } from "./composition.ts";
import { environment } from "./config/process.ts";
import { readProxies } from "./config/proxies.ts";
import { decorate } from "./lib/decorate.ts";
import type { SharedPart } from "./lib/shared-parts.ts";
import { wrapDriver } from "./middleware.ts";
import { openCache, openDriver } from "./parts.ts";
import { openMemory, type RegistryMemory } from "./registry/registry-memory.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { guardDriver } from "./storage/guarded.ts";

export interface OpenDriver {
  /** Next to the bytes, with what measures its calls. */
  readonly bare: StorageDriver;
  /** Its calls are refused while it is dead, or too many wait. */
  readonly guarded: StorageDriver;
}

export async function takeDriver(composition: Composition): Promise<SharedPart<OpenDriver>> {
  const { config, log, instruments, shared, folder } = composition;
  const { driver, maintenance } = config.storage;
  const writable = !maintenance.readonly.enabled;
  const debug = (line: string): void => log.debug(line);
  const proxies = readProxies(environment());
  const madeOf = driver.name === "inmemory" ? driver : [driver, writable]; // its bytes are lost with it
  return await shared.take("driver", madeOf, async (stack) => {
    const bare = instruments.around(await openDriver(driver, { writable, debug, proxies }, folder));
    return { bare, guarded: stack.use(guardDriver(bare, { warn: warnIn(composition) })) };
  });
}

/** What registries work with: the driver's calls go through the middleware. */
export async function takeStorage(
  composition: Composition,
  driver: SharedPart<OpenDriver>,
): Promise<SharedPart<StorageDriver>> {
  const { config, folder, shared } = composition;
  const { storage: middleware } = config.middleware;
  return await shared.take("storage", [driver.mark, middleware], async (stack) => {
    const { value } = stack.use(await takeDriver(composition));
    if (middleware.length === 0) return value.guarded;
    return stack.use(await wrapDriver(lent(value.guarded), middleware, { folder, warn: warnIn(composition) }));
  });
}

/** Not disposed of by whoever it is lent to. */
export function lent<T extends AsyncDisposable>(part: T): T {
  return decorate<AsyncDisposable>(part, { [Symbol.asyncDispose]: async () => undefined }) as T;
}

/** Uploads go on in the registry of the next configuration, and both have the same locks. */
export async function takeMemory(composition: Composition, driver: string): Promise<SharedPart<RegistryMemory>> {
  return await composition.shared.take("memory", null, async (stack) =>
    stack.use(openMemory(driver, warnIn(composition), composition.peers)),
  );
}

/** One for the life of the process. @returns undefined where none is configured */
export async function takeCache(composition: Composition): Promise<SharedPart<DescriptorCache> | undefined> {
  const { config, shared, log, instruments, peers } = composition;
  const { cache: wanted } = config.storage;
  if (wanted.blobdescriptor === undefined) return undefined;
  return await shared.take("cache", null, async (stack) => {
    const opened = await openCache(config, warnIn(composition), instruments.timeCache);
    if (!opened) throw new Error(`no cache is called ${wanted.blobdescriptor}`);
    const isOfProcess = wanted.blobdescriptor === "inmemory";
    const cache = stack.use(peers && isOfProcess ? announcingCache(opened, peers.deletions) : opened);
    const { counts } = cache;
    if (counts) stack.use(instruments.tell({ cache: () => summed(counts) }));
    log.info(`using ${wanted.blobdescriptor} blob descriptor cache`);
    return cache;
  });
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
