import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, resolve } from "node:path";

type Call = (...values: unknown[]) => unknown;
type Callback = (error: Error | null, result?: unknown) => void;

/** Bytes of a file: how often they were changed, and the last change that is on the disk. */
interface Bytes {
  changed: number;
  durable: number;
}

interface Name {
  /** Missing for a folder. */
  readonly bytes?: Bytes | undefined;
  isDurable: boolean;
}

interface Descriptor {
  readonly path: string;
  readonly bytes?: Bytes | undefined;
  readonly writesThrough: boolean;
}

/**
 * What a power cut would leave of what this process does below a folder, as far as POSIX promises it: bytes once their file
 * was synced, a name once its folder was, and all of a path.
 *
 * It hears the calls of `node:fs` that a driver makes, so it has to be there before the driver's code is loaded.
 */
export class RecordedDisk {
  /** Told of a name that has become durable. */
  onDurable: (path: string) => void = () => undefined;
  readonly #root: string;
  readonly #names = new Map<string, Name>();
  readonly #open = new Map<number, Descriptor>();

  constructor(root: string) {
    this.#root = resolve(root);
    this.#around("open", (values, fd) => this.#opened(values, Number(fd)));
    this.#around("openSync", (values, fd) => this.#opened(values, Number(fd)));
    this.#around("write", ([fd]) => this.#written(Number(fd)));
    this.#around("mkdir", ([path], first) => this.#made(String(path), first));
    this.#around("rename", ([from, to]) => this.#renamed(String(from), String(to)));
    this.#around("fsync", undefined, ([fd]) => this.#syncing(Number(fd)));
    this.#around("fdatasync", undefined, ([fd]) => this.#syncing(Number(fd)));
    syncBuiltinESMExports();
  }

  /** Whether it would be there, whole. */
  isDurable(path: string): boolean {
    if (path === this.#root) return true;
    const name = this.#names.get(path);
    if (!name?.isDurable || (name.bytes && name.bytes.durable < name.bytes.changed)) return false;
    return this.isDurable(dirname(path));
  }

  /**
   * @param after what was done, once the call has ended well
   * @param begin runs before the call and gives what runs then
   */
  #around(
    key: "open" | "openSync" | "write" | "mkdir" | "rename" | "fsync" | "fdatasync",
    after: ((values: readonly unknown[], result: unknown) => void) | undefined,
    begin?: (values: readonly unknown[]) => () => void,
  ): void {
    const original = fs[key] as Call;
    const heard = (...values: unknown[]): unknown => {
      const ended = begin?.(values);
      const done = (result?: unknown): void => (ended ? ended() : after?.(values, result));
      const callback = values.at(-1);
      if (typeof callback !== "function") {
        const result = original(...values);
        done(result);
        return result;
      }
      return original(...values.slice(0, -1), (error: Error | null, ...results: unknown[]) => {
        if (!error) done(results[0]);
        (callback as Callback)(error, ...results);
      });
    };
    Object.defineProperties(heard, Object.getOwnPropertyDescriptors(original)); // promisify looks for some of them
    Object.assign(fs, { [key]: heard });
  }

  #isHere(path: string): boolean {
    return path.startsWith(`${this.#root}/`);
  }

  #opened([path, flags]: readonly unknown[], fd: number): void {
    const name = String(path);
    if (name !== this.#root && !this.#isHere(name)) return void this.#open.delete(fd);
    if (typeof flags === "number" && flags & fs.constants.O_CREAT && !this.#names.has(name)) {
      this.#names.set(name, { bytes: { changed: 0, durable: 0 }, isDurable: false });
    }
    const writesThrough = typeof flags === "number" && (flags & fs.constants.O_DSYNC) !== 0;
    this.#open.set(fd, { path: name, bytes: this.#names.get(name)?.bytes, writesThrough });
  }

  #written(fd: number): void {
    const { bytes, writesThrough } = this.#open.get(fd) ?? {};
    if (bytes === undefined) return;
    bytes.changed += 1;
    if (writesThrough) bytes.durable = bytes.changed;
  }

  /** @param first the first folder that was made */
  #made(path: string, first: unknown): void {
    if (typeof first !== "string") return;
    for (let made = path; made.length >= first.length && this.#isHere(made); made = dirname(made)) {
      if (!this.#names.has(made)) this.#names.set(made, { isDurable: false });
    }
  }

  #renamed(from: string, to: string): void {
    this.#names.set(to, { bytes: this.#names.get(from)?.bytes, isDurable: false });
    this.#names.delete(from);
  }

  /** Only what was done before a sync began is surely on the disk at its end. */
  #syncing(fd: number): () => void {
    const { path, bytes } = this.#open.get(fd) ?? {};
    const changed = bytes?.changed;
    const inside = [...this.#names].filter(([name, { isDurable }]) => !isDurable && dirname(name) === path);
    return () => {
      if (bytes && changed !== undefined) bytes.durable = Math.max(bytes.durable, changed);
      for (const [name, known] of inside) {
        known.isDurable = true;
        if (this.#names.get(name) === known && basename(name) === "link") this.onDurable(name);
      }
    };
  }
}
