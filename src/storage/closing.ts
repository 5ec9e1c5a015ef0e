import {
  type AtomicDriver,
  type AtomicWriter,
  canListDetailed,
  canRecall,
  canRedirect,
  canStage,
  canStamp,
  canWriteAtomically,
  type DetailingDriver,
  type FileInfo,
  type FileReader,
  type FileWriter,
  type PutOptions,
  type ReadOptions,
  type RecallingDriver,
  type RedirectingDriver,
  type StagingDriver,
  type StampingDriver,
  type StorageDriver,
  type WriterOptions,
} from "./driver.ts";
import { Held, Lifetime } from "./lifetime.ts";

/**
 * A driver with an end. From the moment it is disposed of, every call on it, its readers and its writers throws. Disposal
 * waits for the calls that run, then disposes of the readers and writers that are still open, and then of the driver: what
 * was written stays and can be appended to, but for what an atomic writer has not committed.
 *
 * A call costs a counter and a promise more: 0.1 µs.
 */
export class ClosingDriver implements StorageDriver {
  readonly name: string;
  readonly location: string;
  /** There where the driver has it. */
  readonly redirectUrl?: RedirectingDriver["redirectUrl"];
  /** As well. */
  readonly beginStaged?: StagingDriver["beginStaged"];
  readonly statStaged?: StagingDriver["statStaged"];
  readonly commitStaged?: StagingDriver["commitStaged"];
  /** As well. */
  readonly listDetailed?: DetailingDriver["listDetailed"];
  /** As well. */
  readonly recallContent?: RecallingDriver["recallContent"];
  readonly recallInfo?: RecallingDriver["recallInfo"];
  readonly recallListing?: RecallingDriver["recallListing"];
  /** As well. Nothing is told after the end. */
  readonly stampOf?: StampingDriver["stampOf"];
  readonly atomicWriter?: AtomicDriver["atomicWriter"];
  readonly listUnfinished?: AtomicDriver["listUnfinished"];
  readonly removeUnfinished?: AtomicDriver["removeUnfinished"];
  readonly #driver: StorageDriver;
  readonly #lifetime: Lifetime;
  #end: Promise<void> | undefined;

  /** @param toError what a call throws that comes too late */
  constructor(driver: StorageDriver, toError: () => Error) {
    this.name = driver.name;
    this.location = driver.location;
    this.#driver = driver;
    this.#lifetime = new Lifetime(toError);
    if (canRedirect(driver)) {
      this.redirectUrl = (path, request) => this.#lifetime.run(() => driver.redirectUrl(path, request));
    }
    if (canStage(driver)) {
      this.beginStaged = (path) => this.#lifetime.run(() => driver.beginStaged(path));
      this.statStaged = (path) => this.#lifetime.run(() => driver.statStaged(path));
      this.commitStaged = (path, target, staged) => this.#lifetime.run(() => driver.commitStaged(path, target, staged));
    }
    if (canListDetailed(driver)) {
      this.listDetailed = (path) => this.#lifetime.run(() => driver.listDetailed(path));
    }
    if (canRecall(driver)) {
      const [contentOf, infoOf] = [driver.recallContent.bind(driver), driver.recallInfo.bind(driver)];
      this.recallContent = (path) => (this.#lifetime.hasEnded ? undefined : contentOf(path));
      this.recallInfo = (path) => (this.#lifetime.hasEnded ? undefined : infoOf(path));
      const listingOf = driver.recallListing?.bind(driver);
      if (listingOf) this.recallListing = (path) => (this.#lifetime.hasEnded ? undefined : listingOf(path));
    }
    if (canStamp(driver)) {
      const stampOf = driver.stampOf.bind(driver);
      this.stampOf = (path) => (this.#lifetime.hasEnded ? undefined : stampOf(path));
    }
    if (canWriteAtomically(driver)) {
      this.atomicWriter = (path, aside) =>
        this.#lifetime.run(async () => new ClosingAtomicWriter(await driver.atomicWriter(path, aside), this.#lifetime));
      this.listUnfinished = (path) => this.#lifetime.run(() => driver.listUnfinished(path));
      this.removeUnfinished = (unfinished) => this.#lifetime.run(() => driver.removeUnfinished(unfinished));
    }
  }

  getContent(path: string): Promise<Uint8Array> {
    return this.#lifetime.run(() => this.#driver.getContent(path));
  }

  putContent(path: string, content: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#lifetime.run(() => this.#driver.putContent(path, content, options));
  }

  reader(path: string, offset?: number, options?: ReadOptions): Promise<FileReader> {
    return this.#lifetime.run(async () => {
      const reader = await this.#driver.reader(path, offset, options);
      return new ClosingReader(reader, this.#lifetime);
    });
  }

  writer(path: string, options: WriterOptions): Promise<FileWriter> {
    return this.#lifetime.run(async () => {
      const writer = await this.#driver.writer(path, options);
      return new ClosingWriter(writer, this.#lifetime);
    });
  }

  stat(path: string): Promise<FileInfo> {
    return this.#lifetime.run(() => this.#driver.stat(path));
  }

  list(path: string): Promise<string[]> {
    return this.#lifetime.run(() => this.#driver.list(path));
  }

  move(source: string, target: string, options?: PutOptions): Promise<void> {
    return this.#lifetime.run(() => this.#driver.move(source, target, options));
  }

  delete(path: string, options?: PutOptions): Promise<void> {
    return this.#lifetime.run(() => this.#driver.delete(path, options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= this.#close();
    return this.#end;
  }

  async #close(): Promise<void> {
    await using _last = this.#driver;
    await this.#lifetime.end();
  }
}

class ClosingReader extends Held<FileReader> implements FileReader {
  get size(): number {
    return this.inner.size;
  }

  read(into: Uint8Array): Promise<number> {
    return this.lifetime.run(() => this.inner.read(into));
  }
}

class ClosingWriter extends Held<FileWriter> implements FileWriter {
  get size(): number {
    return this.inner.size;
  }

  get version(): string | undefined {
    return this.inner.version;
  }

  get settled(): Promise<void> | undefined {
    return this.inner.settled;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.lifetime.run(() => this.inner.write(chunk));
  }

  close(options?: PutOptions): Promise<void> {
    return this.lifetime.run(() => this.inner.close(options));
  }

  commit(): Promise<void> {
    return this.lifetime.run(() => this.inner.commit());
  }

  cancel(): Promise<void> {
    return this.lifetime.run(() => this.inner.cancel());
  }
}

class ClosingAtomicWriter extends Held<AtomicWriter> implements AtomicWriter {
  get size(): number {
    return this.inner.size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.lifetime.run(() => this.inner.write(chunk));
  }

  commit(): Promise<void> {
    return this.lifetime.run(() => this.inner.commit());
  }
}
