import { checkFolder, checkOffset, checkPath } from "./checks.ts";
import type { DetailingDriver, FileInfo, FileReader, FileWriter, ListedChild } from "./driver.ts";
import { PathNotFound, ReaderClosed, StorageError, WriteConflict } from "./errors.ts";
import { WriterState } from "./writer-state.ts";

const MEMORY = "inmemory";

export interface MemoryOptions {
  /** ms since 1970, with fractions. */
  readonly now?: () => number;
}

/** A tree in memory, gone with the process. For tests and for trying things out. */
export class MemoryDriver implements DetailingDriver {
  readonly name: string = MEMORY;
  readonly location: string = "memory";
  readonly #now: () => number;
  readonly #root: Folder;

  constructor(options: MemoryOptions = {}) {
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
    this.#root = new Folder(this.#now());
  }

  async getContent(path: string): Promise<Uint8Array> {
    const { chunks, size } = this.#file(path);
    return Buffer.concat(chunks, size);
  }

  async putContent(path: string, content: Uint8Array): Promise<void> {
    checkPath(MEMORY, path);
    const file = new File(this.#now());
    if (content.length > 0) file.append(new Uint8Array(content), this.#now());
    this.#place(path, file);
  }

  async reader(path: string, offset: number = 0): Promise<FileReader> {
    checkPath(MEMORY, path);
    checkOffset(MEMORY, path, offset);
    return new MemoryReader(this.#file(path), offset);
  }

  async writer(path: string, { append }: { readonly append: boolean }): Promise<FileWriter> {
    checkPath(MEMORY, path);
    const file = this.#fileOrNew(path);
    if (!append) file.empty(this.#now());
    return new MemoryWriter(file, {
      isAt: () => this.#find(path) === file,
      remove: () => this.#remove(path),
      now: this.#now,
      path,
    });
  }

  async stat(path: string): Promise<FileInfo> {
    checkFolder(MEMORY, path);
    const entry = this.#find(path);
    if (entry === undefined) throw new PathNotFound(MEMORY, path);
    return infoOf(entry);
  }

  async list(path: string): Promise<string[]> {
    return [...this.#childrenOf(path).keys()];
  }

  async listDetailed(path: string): Promise<ListedChild[]> {
    return [...this.#childrenOf(path)].map(([name, entry]) => {
      const info = infoOf(entry);
      return { name, isDirectory: info.isDirectory, info };
    });
  }

  async move(source: string, target: string): Promise<void> {
    checkPath(MEMORY, target);
    const file = this.#file(source);
    this.#place(target, file);
    if (source !== target) this.#remove(source);
  }

  async delete(path: string): Promise<void> {
    checkPath(MEMORY, path);
    if (!this.#remove(path)) throw new PathNotFound(MEMORY, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const name of namesOf(path)) entry = entry instanceof Folder ? entry.children.get(name) : undefined;
    return entry;
  }

  #childrenOf(path: string): Folder["children"] {
    checkFolder(MEMORY, path);
    const entry = this.#find(path);
    if (!(entry instanceof Folder)) throw new PathNotFound(MEMORY, path);
    return entry.children;
  }

  #file(path: string): File {
    checkPath(MEMORY, path);
    const entry = this.#find(path);
    if (!(entry instanceof File)) throw new PathNotFound(MEMORY, path);
    return entry;
  }

  #fileOrNew(path: string): File {
    const entry = this.#find(path);
    if (entry instanceof File) return entry;
    const file = new File(this.#now());
    this.#place(path, file);
    return file;
  }

  #place(path: string, file: File): void {
    const names = namesOf(path);
    const last = names.pop() ?? "";
    const folder = this.#folder(names);
    if (folder.children.get(last) instanceof Folder) throw new StorageError(MEMORY, "a folder is in the way");
    folder.children.set(last, file);
    folder.modified = this.#now();
  }

  #folder(names: readonly string[]): Folder {
    let folder = this.#root;
    for (const name of names) {
      const next: Entry = folder.children.get(name) ?? this.#newFolder(folder, name);
      if (next instanceof File) throw new StorageError(MEMORY, "a file is in the way");
      folder = next;
    }
    return folder;
  }

  #newFolder(parent: Folder, name: string): Folder {
    const folder = new Folder(this.#now());
    parent.children.set(name, folder);
    parent.modified = folder.modified;
    return folder;
  }

  /** @returns whether there was anything */
  #remove(path: string): boolean {
    const names = namesOf(path);
    const last = names.pop() ?? "";
    const folder = this.#find(`/${names.join("/")}`);
    if (!(folder instanceof Folder)) return false;
    folder.modified = this.#now();
    return folder.children.delete(last);
  }
}

type Entry = File | Folder;

class Folder {
  readonly size = 0;
  readonly children: Map<string, Entry> = new Map();
  modified: number;

  constructor(modified: number) {
    this.modified = modified;
  }
}

/** Chunks are only added, and emptying takes a new list: who remembers list and size keeps the bytes of that moment. */
class File {
  chunks: Uint8Array[] = [];
  size = 0;
  modified: number;

  constructor(modified: number) {
    this.modified = modified;
  }

  append(chunk: Uint8Array, now: number): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    this.modified = now;
  }

  empty(now: number): void {
    this.chunks = [];
    this.size = 0;
    this.modified = now;
  }
}

function infoOf(entry: Entry): FileInfo {
  return { size: entry.size, isDirectory: entry instanceof Folder, modified: entry.modified };
}

class MemoryReader implements FileReader {
  readonly size: number;
  readonly #chunks: readonly Uint8Array[];
  #position: number;
  /** The chunk with the next byte, and where it starts in the object. */
  #index = 0;
  #start = 0;
  #closed = false;

  constructor(file: File, offset: number) {
    this.#chunks = file.chunks;
    this.size = file.size;
    this.#position = offset;
  }

  async read(into: Uint8Array): Promise<number> {
    if (this.#closed) throw new ReaderClosed(MEMORY);
    if (into.length === 0 || this.#position >= this.size) return 0;
    const bytes = this.#next().subarray(0, Math.min(into.length, this.size - this.#position));
    into.set(bytes);
    this.#position += bytes.length;
    return bytes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #next(): Uint8Array {
    let chunk = this.#chunks[this.#index] ?? new Uint8Array();
    while (this.#position >= this.#start + chunk.length) {
      this.#start += chunk.length;
      this.#index += 1;
      chunk = this.#chunks[this.#index] ?? new Uint8Array();
    }
    return chunk.subarray(this.#position - this.#start);
  }
}

interface Place {
  readonly path: string;
  readonly now: () => number;
  /** Whether the file is still the one at the path. */
  isAt(): boolean;
  remove(): void;
}

class MemoryWriter implements FileWriter {
  readonly #file: File;
  readonly #place: Place;
  readonly #state: WriterState = new WriterState(MEMORY);
  #size: number;
  #failure: WriteConflict | undefined;

  constructor(file: File, place: Place) {
    this.#file = file;
    this.#place = place;
    this.#size = file.size;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#state.checkOpen();
    this.#checkOurs();
    if (chunk.length === 0) return;
    this.#file.append(new Uint8Array(chunk), this.#place.now());
    this.#size = this.#file.size;
  }

  async close(): Promise<void> {
    const isEnd = this.#state.isOpen && this.#failure === undefined;
    this.#state.close();
    if (isEnd) this.#checkOurs();
  }

  async commit(): Promise<void> {
    this.#state.checkOpen();
    this.#checkOurs();
    this.#state.commit();
  }

  async cancel(): Promise<void> {
    this.#state.cancel();
    this.#place.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state.isOpen) this.#state.close();
  }

  #checkOurs(): void {
    if (this.#place.isAt() && this.#file.size === this.#size) return;
    this.#failure ??= new WriteConflict(MEMORY, this.#place.path);
    throw this.#failure;
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
