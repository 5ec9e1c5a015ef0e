import type { AtomicDriver, AtomicWriter, UnfinishedObject } from "../../src/storage/driver.ts";
import { WriteConflict } from "../../src/storage/errors.ts";
import { MemoryDriver, type MemoryOptions } from "../../src/storage/memory.ts";

/** A tree in memory with objects that appear at the commit of their writer, as those of S3 do. */
export class AtomicMemory extends MemoryDriver implements AtomicDriver {
  readonly #unfinished = new Map<string, UnfinishedObject>();
  readonly #now: () => number;
  #lastId = 0;

  constructor(options: MemoryOptions = {}) {
    super(options);
    this.#now = options.now ?? Date.now;
  }

  async atomicWriter(path: string): Promise<AtomicWriter> {
    const id = String(++this.#lastId);
    const parts: Uint8Array[] = [];
    const size = (): number => parts.reduce((sum, { length }) => sum + length, 0);
    this.#unfinished.set(id, { path, id, begun: this.#now() });
    return {
      get size() {
        return size();
      },
      write: async (chunk) => {
        if (!this.#unfinished.has(id)) throw new WriteConflict("inmemory", path);
        parts.push(new Uint8Array(chunk));
      },
      commit: async () => {
        if (!this.#unfinished.delete(id)) throw new WriteConflict("inmemory", path);
        await this.putContent(path, Buffer.concat(parts));
      },
      [Symbol.asyncDispose]: async () => {
        this.#unfinished.delete(id);
      },
    };
  }

  async listUnfinished(path: string): Promise<readonly UnfinishedObject[]> {
    return [...this.#unfinished.values()].filter((one) => path === "/" || `${one.path}/`.startsWith(`${path}/`));
  }

  async removeUnfinished({ id }: UnfinishedObject): Promise<void> {
    this.#unfinished.delete(id);
  }
}
