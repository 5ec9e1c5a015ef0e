import { dirname, sep } from "node:path";
import { codeOf, mkdir } from "./filesystem-calls.ts";
import { FolderSyncs } from "./folder-syncs.ts";

/** How often something is tried again where others remove the folder under it. */
const ATTEMPTS = 20;

/** Folders remembered as unsynced. Beyond them the oldest are synced, so that a flood of new ones costs no memory. */
const REMEMBERED = 4096;

/**
 * Makes folders, and makes what is in them durable. A new name survives a power cut once its folder is synced, and so does
 * a new folder; who finds a folder that another call has just made must therefore sync that one's parent as well, which is
 * why the unsynced ones are remembered here.
 *
 * Folders that another process made are not known. Journals (ext4, xfs) write them out with ours, as they are older.
 */
export class Directories {
  /** Folders that hold a new folder which may not be durable yet, and how many such were made in it. */
  readonly #unsynced: Map<string, number> = new Map();
  readonly #making: Set<Promise<void>> = new Set();
  readonly #syncs: FolderSyncs;

  constructor(syncs: FolderSyncs = new FolderSyncs()) {
    this.#syncs = syncs;
  }

  /**
   * Runs `work`, which needs `directory`, and makes it where it is missing or was removed meanwhile.
   * @param likely whether it will be there: looking for one that is missing costs more than making one that is there
   */
  async inside<T>(directory: string, likely: "there" | "missing", work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1 || likely === "missing") await this.make(directory);
        return await work();
      } catch (error) {
        if (codeOf(error) !== "ENOENT" || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Makes a folder and those above it, with mode 0777 less the umask. */
  async make(directory: string): Promise<void> {
    const made = this.#make(directory);
    this.#making.add(made);
    try {
      await made;
    } finally {
      this.#making.delete(made);
    }
    if (this.#unsynced.size > REMEMBERED) await this.#settleOldest();
  }

  /** Makes the names in `directory` durable, and its own. A folder that is gone again has nothing to keep. */
  async sync(directory: string): Promise<void> {
    if (this.#making.size > 0) await Promise.allSettled(this.#making);
    const above = ancestors(directory).filter((folder) => this.#unsynced.has(folder));
    await Promise.all([this.#syncs.sync(directory), ...above.map((folder) => this.#settle(folder))]);
  }

  /** To be called before a file or tree is removed: nothing below it needs to become durable. */
  forget(path: string): void {
    for (const folder of this.#unsynced.keys()) {
      if (folder === path || folder.startsWith(path + sep)) this.#unsynced.delete(folder);
    }
  }

  async #make(directory: string): Promise<void> {
    // What a failed call made on its way is not told, so every folder above may be new.
    let first: string | undefined = "";
    try {
      first = await mkdir(directory, { recursive: true });
    } finally {
      if (first !== undefined) this.#remember(directory, first);
    }
  }

  #remember(directory: string, first: string): void {
    for (const folder of ancestors(directory)) {
      if (folder.length < dirname(first).length) return;
      this.#unsynced.set(folder, (this.#unsynced.get(folder) ?? 0) + 1);
    }
  }

  async #settleOldest(): Promise<void> {
    const oldest = [...this.#unsynced.keys().take(this.#unsynced.size - REMEMBERED)];
    await Promise.all(oldest.map((folder) => this.#settle(folder)));
  }

  async #settle(folder: string): Promise<void> {
    const known = this.#unsynced.get(folder);
    await this.#syncs.sync(folder);
    if (this.#unsynced.get(folder) === known) this.#unsynced.delete(folder);
  }
}

/** Those above `path`, the nearest first. */
function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}
