import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The key that signs the state of uploads where the operator configured none: made once and kept in `folder`, readable
 * for its owner alone, so that uploads go on after a restart and in every process on the folder.
 *
 * @throws {Error} naming the file, where the folder takes none
 */
export function keepSecret(folder: string): string {
  const file = join(folder, "secret");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = readSecret(file);
  if (found) return found;
  if (found === "") replaceEmpty(folder, file);
  else makeSecret(folder, file);
  const made = readSecret(file);
  if (!made) throw new Error(`${file} was written and is empty again`);
  return made;
}

export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Written aside and linked into place: of several processes that start together, one wins and all read its secret. */
function makeSecret(folder: string, file: string): void {
  withDraft(folder, (draft) => {
    try {
      linkSync(draft, file);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  });
}

/** An empty file is no secret, and would keep one from being made. */
function replaceEmpty(folder: string, file: string): void {
  try {
    withDraft(folder, (draft) => renameSync(draft, file));
  } catch (cause) {
    throw new Error(`${file} is empty and cannot be replaced: ${String(cause)}`, { cause });
  }
}

function withDraft(folder: string, put: (draft: string) => void): void {
  const draft = join(folder, `secret.${randomUUID()}.tmp`);
  try {
    writeFileSync(draft, randomSecret(), { mode: 0o600, flush: true });
    put(draft);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @returns undefined where there is no file */
function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
