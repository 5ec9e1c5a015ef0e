import type { StorageDriver } from "../storage/driver.ts";
import { PathNotFound } from "../storage/errors.ts";
import type { Check } from "./check.ts";

/** Not `/`, for which an object store need not be asked. */
const ROOT = "/docker";

/** @param type as the configuration names the storage */
export function storageCheck(driver: StorageDriver, type: string): Check {
  return {
    name: `storagedriver_${type}`,
    async look() {
      try {
        await driver.stat(ROOT);
      } catch (error) {
        if (!(error instanceof PathNotFound)) throw error; // nothing was stored yet
      }
    },
  };
}
