import { setTimeout as pause } from "node:timers/promises";

/** Bytes of lines that are worth a system call: as many as a pipe takes from one process without those of another between. */
const BATCH = 4096;

/** Bytes that may wait for an output that nobody reads; lines beyond are dropped. */
const BACKLOG = 4 * 1024 * 1024;

/** How long disposal waits for somebody to read. ms */
const PATIENCE = 1000;

export interface LineWriter extends AsyncDisposable {
  write(line: string): void;
}

/**
 * Lines to stdout or stderr, several a system call, at the latest after `delay` ms. Disposal writes what is left, unless
 * it is a full pipe that nobody reads.
 *
 * The process's streams, because they wait for a full pipe in the event loop: a write that blocked in a thread of the pool
 * would keep the process from ending.
 */
export function writeLines(delay = 200, name: "stdout" | "stderr" = "stdout"): LineWriter {
  const output = new BatchedOutput(process[name]);
  const timer = setInterval(() => output.flush(), delay).unref();
  return {
    write: (line) => output.add(line),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      output.flush();
      const patience = new AbortController();
      await Promise.race([output.emptied(), pause(PATIENCE, undefined, { signal: patience.signal })]);
      patience.abort();
    },
  };
}

/**
 * One write at a time, of whole lines and no more than a pipe takes at once: workers that share an output do not mix their
 * lines up.
 */
class BatchedOutput {
  readonly #output: NodeJS.WriteStream;
  readonly #batches: string[] = [];
  #lines = "";
  /** Bytes of `#lines`, and of everything that waits. */
  #size = 0;
  #waiting = 0;
  #isWriting = false;
  #onEmpty: () => void = () => undefined;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
    output.on("error", () => undefined); // it was closed: there is nowhere to say so
  }

  add(line: string): void {
    if (this.#waiting > BACKLOG) return;
    const size = Buffer.byteLength(line);
    if (this.#size + size > BATCH) this.flush();
    this.#lines += line;
    this.#size += size;
    this.#waiting += size;
    if (this.#size >= BATCH) this.flush();
  }

  flush(): void {
    if (this.#lines !== "") this.#batches.push(this.#lines);
    this.#lines = "";
    this.#size = 0;
    this.#writeNext();
  }

  /** Resolves when nothing waits any more. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      this.#writeNext();
    });
  }

  #writeNext(): void {
    if (this.#isWriting) return;
    const batch = this.#batches.shift();
    if (batch === undefined) {
      this.#onEmpty();
      return;
    }
    this.#isWriting = true;
    this.#output.write(batch, () => {
      this.#isWriting = false;
      this.#waiting -= Buffer.byteLength(batch);
      this.#writeNext();
    });
  }
}
