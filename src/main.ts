/** Entry of the command: the compile cache, the command line, the exit code. */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { keepYoungGenerationSmall } from "./lib/young-generation.ts";

keepYoungGenerationSmall();
enableCompileCache();

const { createProgram } = await import("./cli/program.ts");
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};
process.exit(await createProgram(version).run(process.argv.slice(2)));
