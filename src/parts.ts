/** What the configuration can name, loaded when it is named. */
import type { Parameters } from "./config/config.ts";
import type { StorageDriver } from "./storage/driver.ts";

interface Access {
  /** Whether anything will be written. */
  readonly writable: boolean;
}

type OpenDriver = (parameters: Parameters, access: Access) => Promise<StorageDriver>;

export const DRIVERS: Readonly<Record<string, OpenDriver>> = {
  filesystem: async ({ rootdirectory }, { writable }) => {
    const { openFilesystem } = await import("./storage/filesystem.ts");
    return await openFilesystem({ rootdirectory: String(rootdirectory), writable });
  },
  inmemory: async () => {
    const { MemoryDriver } = await import("./storage/memory.ts");
    return new MemoryDriver();
  },
};
