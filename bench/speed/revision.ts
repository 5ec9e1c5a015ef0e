import { existsSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../test/support/run.ts";

/**
 * Checks another revision of this repository out. Its packages are this tree's where the lock files are the same, else they
 * are installed.
 * @throws {Error} where there is no such revision
 */
export async function checkOut(root: string, revision: string, folder: string): Promise<string> {
  await run("git", ["clone", "--quiet", "--no-checkout", root, folder]);
  await run("git", ["-C", folder, "fetch", "--quiet", root, revision]);
  await run("git", ["-C", folder, "checkout", "--quiet", "FETCH_HEAD"]);
  const lock = "package-lock.json";
  const isSame = (await readFile(join(root, lock), "utf8")) === (await readFile(join(folder, lock), "utf8"));
  const packages = join(root, "node_modules");
  if (isSame && existsSync(packages)) await symlink(packages, join(folder, "node_modules"));
  else await run("npm", ["ci", "--silent"], { cwd: folder });
  return folder;
}
