/** What the configuration can name, loaded when it is named. */
import type { Parameters } from "./config/config.ts";
import type { StorageDriver } from "./storage/driver.ts";

type OpenDriver = (parameters: Parameters) => Promise<StorageDriver>;

export const DRIVERS: Readonly<Record<string, OpenDriver>> = {
  filesystem: async ({ rootdirectory }) => {
    const { openFilesystem } = await import("./storage/filesystem.ts");
    return await openFilesystem({ rootdirectory: String(rootdirectory) });
  },
  inmemory: async () => {
    const { MemoryDriver } = await import("./storage/memory.ts");
    return new MemoryDriver();
  },
};
