/** Compares one password at a time, in a thread of its own. */
import { parentPort } from "node:worker_threads";
import { bcryptVerify } from "hash-wasm";
import type { Comparison } from "./password-checks.ts";

parentPort?.on("message", (comparison: Comparison) => {
  void bcryptVerify(comparison).then((matches) => parentPort?.postMessage(matches));
});
