import { isPath } from "./driver.ts";
import { InvalidOffset, InvalidPath } from "./errors.ts";

/** @throws {InvalidPath} where `path` cannot name an object; `/` cannot */
export function checkPath(driver: string, path: string): void {
  if (!isPath(path)) throw new InvalidPath(driver, path);
}

/** For what also takes the root, `/`. */
export function checkFolder(driver: string, path: string): void {
  if (path !== "/") checkPath(driver, path);
}

/** @throws {InvalidOffset} for what is not a whole number of bytes from the start */
export function checkOffset(driver: string, path: string, offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new InvalidOffset(driver, path, offset);
}
