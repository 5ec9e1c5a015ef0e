/** What the registry does, over HTTP and without, whatever it stores in: every test is run once with each driver. */
import { describe } from "node:test";
import { openRegistry, type RegistryOptions } from "../../src/library.ts";
import type { Registry } from "../../src/registry/registry.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Starts a server over an empty storage of its own. Its disposal removes both. */
export type OpenApi = (options?: ApiOptions) => Promise<Api>;

/** Opens a registry without HTTP over an empty storage of its own. Its disposal removes both. */
export type OpenServices = (options?: Omit<RegistryOptions, "driver">) => Promise<Services>;

export interface Services extends AsyncDisposable {
  readonly registry: Registry;
  readonly driver: StorageDriver;
}

const STORAGES: Readonly<Record<string, () => Promise<AsyncDisposable & { readonly driver: StorageDriver }>>> = {
  "in memory": async () => ({ driver: new MemoryDriver(), [Symbol.asyncDispose]: async () => undefined }),
  "on a filesystem": async () => {
    const folder = await temporaryFolder("api");
    const driver = await openFilesystem({ rootdirectory: folder.path });
    return { driver, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  },
};

export function registryContract(title: string, declare: (open: OpenApi) => void): void {
  for (const [storage, open] of Object.entries(STORAGES)) {
    describe(`${title}, ${storage}`, () => declare((options) => openApi(open, options)));
  }
}

export function servicesContract(title: string, declare: (open: OpenServices) => void): void {
  for (const [storage, open] of Object.entries(STORAGES)) {
    describe(`${title}, ${storage}`, () => declare((options) => openServices(open, options)));
  }
}

async function openServices(open: (typeof STORAGES)[string], options?: Parameters<OpenServices>[0]): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const { driver } = stack.use(await open());
  const registry = stack.use(openRegistry({ ...options, driver }));
  const owned = stack.move();
  return { registry, driver, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openApi(open: (typeof STORAGES)[string], options?: ApiOptions): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  const { driver } = stack.use(await open());
  const api = stack.use(await startApi(driver, options));
  const owned = stack.move();
  return { ...api, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
