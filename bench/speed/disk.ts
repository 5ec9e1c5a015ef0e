/** What no program can do better here: hashing on one core, and writing until the bytes are safe. */
import { run } from "../../test/support/run.ts";
import { BIG } from "./writes.ts";

/** @returns MiB a second that are written by one program that does nothing else, and synced */
export async function writeRate(source: string, target: string): Promise<number> {
  const begun = performance.now();
  await run("dd", [`if=${source}`, `of=${target}`, "bs=1M", "conv=fdatasync", "status=none"]);
  return (BIG * 1000) / (performance.now() - begun);
}

/** @returns MiB a second of SHA-256 on one core */
export async function hashRate(): Promise<number> {
  const output = await run("openssl", [
    "speed",
    "-elapsed",
    "-seconds",
    "1",
    "-bytes",
    "65536",
    "-mr",
    "-evp",
    "sha256",
  ]);
  const bytes = Number(/\+F:\d+:[^:]*:([\d.]+)/.exec(output)?.[1]);
  return bytes / 2 ** 20;
}
