/** Characters of lines that are worth a system call. */
const BATCH = 4096;

/** Bytes that may wait for a stdout that nobody reads; lines beyond are dropped. */
const BACKLOG = 4 * 1024 * 1024;

/** How long disposal waits for somebody to read stdout. ms */
const PATIENCE = 1000;

export interface LineWriter extends AsyncDisposable {
  write(line: string): void;
}

/**
 * Lines to stdout, several a system call, at the latest after `delay` ms. Disposal writes what is left, unless stdout is
 * a full pipe that nobody reads.
 *
 * `process.stdout`, because it waits for a full pipe in the event loop: a write that blocked in a thread of the pool
 * would keep the process from ending.
 */
export function writeLines(delay = 200): LineWriter {
  const { stdout } = process;
  let lines = "";
  const flush = (): void => {
    if (lines !== "") stdout.write(lines);
    lines = "";
  };
  const timer = setInterval(flush, delay).unref();
  stdout.on("error", () => undefined); // stdout was closed: there is nowhere to say so
  return {
    write(line) {
      if (stdout.writableLength > BACKLOG) return;
      lines += line;
      if (lines.length >= BATCH) flush();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      flush();
      const { promise, resolve } = Promise.withResolvers<void>();
      const patience = setTimeout(resolve, PATIENCE);
      stdout.write("", () => resolve());
      await promise;
      clearTimeout(patience);
    },
  };
}
