/** Compiles src/ into dist/ for the npm package: Node runs no TypeScript under node_modules. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const compiler = join(createRequire(import.meta.url).resolve("typescript/package.json"), "..", "bin", "tsc");

rmSync(join(import.meta.dirname, "..", "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [compiler, "--project", import.meta.dirname], { stdio: "inherit" });
