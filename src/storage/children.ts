import { canListDetailed, type ListedChild, type StorageDriver } from "./driver.ts";
import { PathNotFound } from "./errors.ts";

/** A child whose kind only `stat` tells, where the driver lists names alone. */
export type Child = Pick<ListedChild, "name"> & Partial<ListedChild>;

/** What lies in a folder, in no order, with what one listing says of it. Where there is no folder, nothing does. */
export async function childrenOf(driver: StorageDriver, path: string): Promise<readonly Child[]> {
  try {
    if (canListDetailed(driver)) return await driver.listDetailed(path);
    return (await driver.list(path)).map((name) => ({ name }));
  } catch (error) {
    if (error instanceof PathNotFound) return [];
    throw error;
  }
}
