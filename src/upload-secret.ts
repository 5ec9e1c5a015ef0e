import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The key that signs the state of uploads where the operator configured none: made once and kept in `folder`, readable
 * for its owner alone, so that uploads go on after a restart and in every process on the folder.
 *
 * @returns undefined where the folder takes no file
 */
export function keepSecret(folder: string): string | undefined {
  const file = join(folder, "secret");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return readSecret(file) ?? makeSecret(folder, file);
  } catch {
    return undefined;
  }
}

export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Written aside and linked into place: of several processes that start together, one wins and all read its secret. */
function makeSecret(folder: string, file: string): string | undefined {
  const draft = join(folder, `secret.${randomUUID()}.tmp`);
  writeFileSync(draft, randomSecret(), { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readSecret(file);
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
