import { access } from "node:fs/promises";
import type { Check } from "./check.ts";

/** Fails while there is such a file: by making one, an operator takes a registry out of service. */
export function fileCheck(path: string): Check {
  return {
    name: path,
    async look() {
      if (await exists(path)) throw new Error("file exists");
    },
  };
}

/** @throws {Error} where that cannot be said */
async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new Error(`whether the file exists cannot be said (${code})`);
  }
}
