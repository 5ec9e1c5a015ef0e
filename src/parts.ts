/** What the configuration can name, loaded when it is named. */
import type { Parameters } from "./config/config.ts";
import type { StorageDriver } from "./storage/driver.ts";

interface Access {
  /** Whether anything will be written. */
  readonly writable: boolean;
  /** Gets a line for each call, where the parameters ask for that. */
  readonly debug: (line: string) => void;
}

type OpenDriver = (parameters: Parameters, access: Access) => Promise<StorageDriver>;

const s3: OpenDriver = async (parameters, { debug }) => {
  const { openS3 } = await import("./storage/s3.ts");
  return await openS3(parameters, { debug });
};

export const DRIVERS: Readonly<Record<string, OpenDriver>> = {
  filesystem: async ({ rootdirectory }, { writable }) => {
    const { openFilesystem } = await import("./storage/filesystem.ts");
    return await openFilesystem({ rootdirectory: String(rootdirectory), writable });
  },
  inmemory: async () => {
    const { MemoryDriver } = await import("./storage/memory.ts");
    return new MemoryDriver();
  },
  s3,
  s3aws: s3,
};
