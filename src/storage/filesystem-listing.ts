import type { Dirent } from "node:fs";
import { join } from "node:path";
import type { ListedChild } from "./driver.ts";
import { readdir, stat } from "./filesystem-calls.ts";

/** What a file is called while it is written. */
const TEMPORARY = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

export async function listNames(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  if (!names.some((name) => TEMPORARY.test(name))) return names;
  const kept = await Promise.all(names.map((name) => isObject(folder, name)));
  return names.filter((_, index) => kept[index]);
}

/** The same children: the system says of what kind each is, but for links, which are followed. */
export async function listChildren(folder: string): Promise<ListedChild[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const children = await Promise.all(entries.map((entry) => toChild(folder, entry)));
  return children.filter(({ name, isDirectory }) => isDirectory || !TEMPORARY.test(name));
}

async function toChild(folder: string, entry: Dirent): Promise<ListedChild> {
  const { name } = entry;
  const isDirectory = entry.isSymbolicLink() ? await isFolder(folder, name) : entry.isDirectory();
  return { name, isDirectory };
}

/** Only files are ever temporary: a tag may have such a name, and is a folder. */
async function isObject(folder: string, name: string): Promise<boolean> {
  return !TEMPORARY.test(name) || (await isFolder(folder, name));
}

async function isFolder(folder: string, name: string): Promise<boolean> {
  try {
    return (await stat(join(folder, name))).isDirectory();
  } catch {
    return false;
  }
}
