/** Compiles src/ into dist/ for the npm package. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./compile.ts";

const DIST = join(import.meta.dirname, "..", "dist");

rmSync(DIST, { recursive: true, force: true });
compile(DIST);
