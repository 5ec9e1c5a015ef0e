/** What the registry does, over HTTP and without, whatever it stores in: every test is run once with each driver. */
import { randomUUID } from "node:crypto";
import { describe } from "node:test";
import { openRegistry, type RegistryOptions } from "../../src/library.ts";
import type { Registry } from "../../src/registry/registry.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { openFilesystem } from "../../src/storage/filesystem.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { openS3 } from "../../src/storage/s3.ts";
import { type Api, type ApiOptions, startApi } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { gatewayParameters } from "../support/versitygw.ts";

/** Starts a server over an empty storage of its own. Its disposal removes both. */
export type OpenApi = (options?: ApiOptions) => Promise<Api>;

/** Opens a registry without HTTP over an empty storage of its own. Its disposal removes both. */
export type OpenServices = (options?: Omit<RegistryOptions, "driver">) => Promise<Services>;

export interface Services extends AsyncDisposable {
  readonly registry: Registry;
  readonly driver: StorageDriver;
}

type OpenStorage = () => Promise<AsyncDisposable & { readonly driver: StorageDriver }>;

const IN_MEMORY: Readonly<Record<string, OpenStorage>> = {
  "in memory": async () => ({ driver: new MemoryDriver(), [Symbol.asyncDispose]: async () => undefined }),
};

const OF_THIS_MACHINE: Readonly<Record<string, OpenStorage>> = {
  ...IN_MEMORY,
  "on a filesystem": async () => {
    const folder = await temporaryFolder("api");
    const driver = await openFilesystem({ rootdirectory: folder.path });
    return { driver, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  },
};

/** `npm run test:backends` starts a server of S3 and says on which port. */
const S3_PORT = process.env["WHARFINGER_TEST_S3"];

/** Set where the suites run over another protocol than the usual one, of which no storage knows. */
const OTHER_PROTOCOL = process.env["WHARFINGER_PROTOCOL"] !== undefined;

const STORAGES: Readonly<Record<string, OpenStorage>> = S3_PORT
  ? { "on S3": () => openBucket(Number(S3_PORT)) }
  : OTHER_PROTOCOL
    ? IN_MEMORY
    : OF_THIS_MACHINE;

/** Every storage has a root of its own in one bucket. The registry sends nobody there, as the suites want the bytes. */
async function openBucket(port: number): Promise<Awaited<ReturnType<OpenStorage>>> {
  const driver = await openS3(gatewayParameters(port, { rootdirectory: randomUUID() }));
  Object.defineProperty(driver, "redirectUrl", { value: undefined });
  return { driver, [Symbol.asyncDispose]: async () => undefined };
}

/** In memory, or on S3 where `npm run test:backends` runs. */
export async function emptyStorage(): Promise<StorageDriver> {
  return S3_PORT ? (await openBucket(Number(S3_PORT))).driver : new MemoryDriver();
}

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

async function openServices(open: OpenStorage, options?: Parameters<OpenServices>[0]): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const { driver } = stack.use(await open());
  const registry = stack.use(openRegistry({ ...options, driver }));
  const owned = stack.move();
  return { registry, driver, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openApi(open: OpenStorage, options?: ApiOptions): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  const { driver } = stack.use(await open());
  const api = stack.use(await startApi(driver, options));
  const owned = stack.move();
  return { ...api, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
