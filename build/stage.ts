/**
 * The folder that the Containerfile copies from:
 *
 *     Containerfile
 *     node                                  Node's binary, from the package of the platform
 *     app/                                  package.json, LICENSE, bin/, dist/, node_modules/ of production
 *     command/registry  command/wharfinger  for /bin
 *     entrypoint.sh
 *     etc/docker/registry/config.yml        etc/distribution/config.yml is a link to it
 *     data/registry  data/wharfinger        empty, for /var/lib
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, globSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { compile } from "./compile.ts";

const ROOT = join(import.meta.dirname, "..");
const PARTS = join(import.meta.dirname, "image");

/** Processors as Node calls them. */
export const ARCHITECTURES = ["x64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** Kept, whatever their extension. */
const LICENCE = /^(?:un)?licen[cs]e\b/i;

/** What no process reads: types, sources that are not run, maps, texts but licences, tests. */
const UNUSED: readonly string[] = [
  "**/*.{ts,mts,cts,map,md,markdown}",
  "node_modules/{*,@*/*}/{test,tests,docs,doc,examples,example,benchmark,benchmarks,dist-types,.github}",
  "node_modules/{typescript,@typescript}", // an optional peer of valibot, which npm takes along as we have it
];

/** @param folder empty, or not there yet */
export function stage(folder: string, architecture: Architecture): void {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(ROOT, "Containerfile"), join(folder, "Containerfile"));
  stageApp(join(folder, "app"), architecture);
  stageNode(folder, architecture);
  stageParts(folder);
}

function stageApp(app: string, architecture: Architecture): void {
  mkdirSync(app);
  for (const name of ["package.json", "package-lock.json", ".npmrc", "LICENSE", "bin"]) {
    cpSync(join(ROOT, name), join(app, name), { recursive: true });
  }
  const platform = ["--os=linux", "--libc=glibc", `--cpu=${architecture}`];
  const args = ["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--loglevel=error", ...platform];
  execFileSync("npm", args, { cwd: app, stdio: ["ignore", process.stderr, "inherit"] });
  compile(join(app, "dist"));
  for (const path of globSync([...UNUSED], { cwd: app, exclude: (path) => LICENCE.test(basename(path)) }))
    rmSync(join(app, path), { recursive: true, force: true });
  for (const name of ["package-lock.json", ".npmrc", "node_modules/.bin"]) rmSync(join(app, name), { recursive: true });
}

function stageNode(folder: string, architecture: Architecture): void {
  const binary = join(folder, "app", "node_modules", `node-linux-${architecture}`);
  renameSync(join(binary, "bin", "node"), join(folder, "node"));
  renameSync(join(binary, "LICENSE"), join(folder, "app", "LICENSE.node"));
  rmSync(binary, { recursive: true });
}

function stageParts(folder: string): void {
  const [docker, distribution] = [join(folder, "etc", "docker", "registry"), join(folder, "etc", "distribution")];
  for (const path of [docker, distribution, join(folder, "command")]) mkdirSync(path, { recursive: true });
  copyFileSync(join(PARTS, "config.yml"), join(docker, "config.yml"));
  symlinkSync("../docker/registry/config.yml", join(distribution, "config.yml"));
  stageProgram("entrypoint.sh", join(folder, "entrypoint.sh"));
  for (const name of ["registry", "wharfinger"]) stageProgram("registry", join(folder, "command", name));
  for (const name of ["registry", "wharfinger"]) stageData(join(folder, "data", name));
}

function stageProgram(part: string, path: string): void {
  copyFileSync(join(PARTS, part), path);
  chmodSync(path, 0o755);
}

/** As /tmp is: anybody writes, and removes only what is their own. */
function stageData(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o1777);
}
