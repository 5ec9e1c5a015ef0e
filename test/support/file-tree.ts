import { createHash } from "node:crypto";
import { type Dirent, existsSync, type Stats } from "node:fs";
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "./run.ts";

/**
 * What a file tree holds: relative path to one line of text with type, mode, and for files the content's hash, for
 * symbolic links the target, for hard links the first path of the same file. Owners and times are left out.
 */
export type FileTree = Readonly<Record<string, string>>;

/** Describes a folder so that two folders are equal exactly when `deepEqual` says so of their descriptions. */
export async function describeTree(root: string): Promise<FileTree> {
  const tree: Record<string, string> = {};
  const firstPaths = new Map<number, string>();
  for (const path of await pathsBelow(root)) {
    tree[path] = await describeEntry(root, path, firstPaths);
  }
  return tree;
}

async function pathsBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map((entry: Dirent) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort();
}

async function describeEntry(root: string, path: string, firstPaths: Map<number, string>): Promise<string> {
  const stat = await lstat(join(root, path));
  if (stat.isSymbolicLink()) return `link to ${await readlink(join(root, path))}`;
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
  if (stat.isDirectory()) return `directory ${mode}`;
  if (!stat.isFile()) return `${stat.isFIFO() ? "fifo" : "special file"} ${mode}`;
  return `file ${mode} ${await describeContent(root, path, stat, firstPaths)}`;
}

async function describeContent(root: string, path: string, stat: Stats, firsts: Map<number, string>): Promise<string> {
  const first = stat.nlink > 1 ? firsts.get(stat.ino) : undefined;
  if (first !== undefined) return `same as ${first}`;
  firsts.set(stat.ino, path);
  const hash = createHash("sha256").update(await readFile(join(root, path)));
  return `${stat.size} ${hash.digest("hex")}`;
}

/** Copies the files of installed Debian packages, links and modes as they are. Needs dpkg and tar. */
export async function copyDebianPackages(root: string, ...packages: readonly string[]): Promise<void> {
  const listed = (await run("dpkg", ["-L", ...packages]))
    .split("\n")
    .filter((path) => existsSync(path) && path !== "/.");
  const paths = [...new Set(await Promise.all(listed.map(realLocation)))].sort();
  await mkdir(root, { recursive: true });
  const archive = `${root}.tar`;
  await run("tar", ["--create", "--file", archive, "-C", "/", "--no-recursion", "-T", "-"], {
    input: paths.join("\n"),
  });
  await run("tar", ["--extract", "--file", archive, "-C", root, "--preserve-permissions"]);
  await rm(archive);
}

/** Relative to the root. `/bin/sed` lies in `usr/bin` where `/bin` is a link. */
async function realLocation(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path)).slice(1);
}

/** Everything that archive formats and clients have got wrong: links of each kind, modes, long and strange names. */
export async function writeOddities(root: string): Promise<void> {
  await writeFiles(root);
  await symlink("plain.txt", join(root, "relative-link"));
  await symlink("/no/such/target", join(root, "dangling-link"));
  await symlink("../odd/plain.txt", join(root, "odd/link-over-parent"));
  await symlink("empty-folder", join(root, "link-to-folder"));
  await link(join(root, "plain.txt"), join(root, "odd/hard-link"));
  await mkdir(join(root, "empty-folder"), { recursive: true });
  await mkdir(join(root, "shared-folder"), { recursive: true });
  await chmod(join(root, "shared-folder"), 0o1777);
  await run("mkfifo", ["--mode=0640", join(root, "a-fifo")]);
}

const ODD_FILES: readonly (readonly [path: string, content: string, mode: number])[] = [
  ["plain.txt", "plain\n", 0o644],
  ["empty", "", 0o600],
  ["odd/plain.txt", "below a folder\n", 0o644],
  ["odd/set-user-id", "#!/bin/sh\n", 0o4755],
  ["odd/read-only", "do not write\n", 0o400],
  ["odd/name with spaces", "spaces\n", 0o644],
  ["odd/ünïcödé-名前", "not ASCII\n", 0o644],
  [`odd/${"n".repeat(200)}`, "a long name\n", 0o644],
  [`${"deep/".repeat(60)}file`, "a path longer than 255 bytes\n", 0o644],
];

async function writeFiles(root: string): Promise<void> {
  for (const [path, content, mode] of ODD_FILES) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await chmod(join(root, path), mode);
  }
}

/**
 * What unpacking `layer` onto a copy of `base` gives: an entry `.wh.name` takes `name` away, any other is laid over.
 * @see OCI image-spec 1.1, layer.md, "Applying changesets"
 */
export async function applyLayer(base: string, layer: string, target: string): Promise<void> {
  await copyTree(base, target);
  for (const path of await pathsBelow(layer)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(".wh.")) await rm(join(target, dirname(path), name.slice(4)), { recursive: true });
  }
  await copyTree(layer, target);
  for (const path of await pathsBelow(target)) {
    if (/(^|\/)\.wh\.[^/]+$/.test(path)) await rm(join(target, path));
  }
}

/** `cp --archive`: unlike the one of node:fs it keeps hard links, fifos and relative link targets. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run("cp", ["--archive", `${from}/.`, to]);
}
