/** Entry of the command: what makes a start short, the command line, the exit code. */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { HangUps } from "./cli/hang-ups.ts";
import { keepHeapSmall } from "./lib/heap.ts";
import { takeImportsAtTheirWord } from "./lib/near-imports.ts";

/**
 * First of all, because until then SIGHUP ends the process. Commands that do not serve are ended by it all the same; to
 * a worker it says nothing, because its supervisor hears it too.
 */
const hangUps = process.argv[2] === "serve" || process.argv[2] === "worker" ? new HangUps() : undefined;

keepHeapSmall();
enableCompileCache();
takeImportsAtTheirWord(new URL(".", import.meta.url).href);

const { createProgram } = await import("./cli/program.ts");
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};
process.exit(await createProgram(version, hangUps).run(process.argv.slice(2)));
