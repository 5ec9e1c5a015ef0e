/** Characters of lines that are worth a system call. */
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
  const output = process[name];
  let lines = "";
  const flush = (): void => {
    if (lines !== "") output.write(lines);
    lines = "";
  };
  const timer = setInterval(flush, delay).unref();
  output.on("error", () => undefined); // it was closed: there is nowhere to say so
  return {
    write(line) {
      if (output.writableLength > BACKLOG) return;
      lines += line;
      if (lines.length >= BATCH) flush();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      flush();
      const { promise, resolve } = Promise.withResolvers<void>();
      const patience = setTimeout(resolve, PATIENCE);
      output.write("", () => resolve());
      await promise;
      clearTimeout(patience);
    },
  };
}
