import { destination } from "pino";

/** Bytes that may wait for a stdout that nobody reads; lines beyond are dropped. */
const BACKLOG = 4 * 1024 * 1024;

export interface LineWriter extends AsyncDisposable {
  write(line: string): void;
}

/** Lines to stdout, several a system call, at the latest after `delay` ms. Disposal writes what is left. */
export function writeLines(delay = 200): LineWriter {
  const stdout = destination({ dest: 1, sync: false, minLength: 4096, maxLength: BACKLOG, periodicFlush: delay });
  stdout.on("error", () => undefined); // stdout was closed: there is nowhere to say so
  return {
    write: (line) => stdout.write(line),
    [Symbol.asyncDispose]: () => new Promise((resolve) => stdout.flush(() => resolve())),
  };
}
