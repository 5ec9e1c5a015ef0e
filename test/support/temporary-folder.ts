import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** A path below the folder; nothing is made. */
  join(...names: readonly string[]): string;
}

/** A new folder that disposal removes with everything in it. */
export async function temporaryFolder(label = "test"): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `wharfinger-${label}-`));
  return {
    path,
    join: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
