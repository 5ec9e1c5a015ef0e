import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Time to come up, and to go down after SIGTERM before SIGKILL follows. A healthy server needs a fraction. */
const DEADLINE_MS = 30_000;

/** A program that runs until it is told to end. Its log is collected; disposal stops it. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #log = "";
  #look: () => void = () => {};

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, args, {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#exit = once(this.#child, "close").catch((error: Error) => this.#collect(error.message));
    this.#child.stdout?.on("data", (bytes: Buffer) => this.#collect(bytes.toString()));
    this.#child.stderr?.on("data", (bytes: Buffer) => this.#collect(bytes.toString()));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything written to standard output and standard error so far. */
  get log(): string {
    return this.#log;
  }

  /**
   * Waits until the log matches.
   * @throws {Error} with the log, when the process exits or the deadline passes first; it is then ended
   */
  async says(expected: RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = setTimeout(reject, DEADLINE_MS, new Error(`not a word of ${expected} in time`));
    this.#look = () => expected.test(this.#log) && resolve();
    this.#look();
    void this.#exit.then(() => reject(new Error(`it ended (${this.#child.exitCode ?? this.#child.signalCode})`)));
    try {
      await promise;
    } catch (error) {
      await this.kill();
      throw new Error(`${this.#child.spawnfile}: ${(error as Error).message}\n${this.#log}`);
    } finally {
      clearTimeout(deadline);
      this.#look = () => {}; // a long log is not searched for ever
    }
  }

  /** Ends it with SIGTERM, with SIGKILL where that does not help in time. Answers the exit code, null after a signal. */
  async stop(): Promise<number | null> {
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS);
    this.#child.kill("SIGTERM");
    await this.#exit;
    clearTimeout(deadline);
    return this.#child.exitCode;
  }

  /** Waits until it ends by itself. Answers the exit code, null after a signal. */
  async ended(): Promise<number | null> {
    await this.#exit;
    return this.#child.exitCode;
  }

  /** Ends it with SIGKILL: no handler of the process runs. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #collect(text: string): void {
    this.#log += text;
    this.#look();
  }
}
