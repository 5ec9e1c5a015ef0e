/**
 * A storage driver of one's own: memory with a limit, so that a registry for trying things out cannot eat the machine.
 * own-parts.yml names it for `wharfinger serve`, own-parts.ts passes it in.
 */
import { type FileWriter, MemoryDriver, type OpenDriver, StorageFull } from "wharfinger";

export const openDriver: OpenDriver = ({ limit }) => {
  if (typeof limit !== "number") throw new TypeError(`limit is ${limit}, but must be a number of bytes`);
  return new LimitedMemory(limit);
};

class LimitedMemory extends MemoryDriver {
  override readonly name = "limited-memory";
  #left: number;

  constructor(limit: number) {
    super();
    this.#left = limit;
  }

  override async putContent(path: string, content: Uint8Array): Promise<void> {
    this.#take(content.length);
    await super.putContent(path, content);
  }

  override async writer(path: string, options: { readonly append: boolean }): Promise<FileWriter> {
    const writer = await super.writer(path, options);
    const write = writer.write.bind(writer);
    writer.write = async (chunk) => {
      this.#take(chunk.length);
      await write(chunk);
    };
    return writer;
  }

  /** What is deleted is not given back. */
  #take(bytes: number): void {
    if (bytes > this.#left) throw new StorageFull(this.name);
    this.#left -= bytes;
  }
}
