import { mkdir, rmdir } from "node:fs/promises";
import { tryRun } from "../support/run.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/**
 * A file system in memory with room for `size` bytes; disposal unmounts it.
 * @returns undefined where this process may not mount
 */
export async function smallDisk(size: number): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const folder: TemporaryFolder = await temporaryFolder("disk");
  const path = folder.join("disk");
  await mkdir(path);
  const { exitCode } = await tryRun("mount", ["-t", "tmpfs", "-o", `size=${size}`, "wharfinger", path]);
  if (exitCode !== 0) {
    await folder[Symbol.asyncDispose]();
    return undefined;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await tryRun("umount", ["--lazy", path]);
      await rmdir(path);
      await folder[Symbol.asyncDispose]();
    },
  };
}
