import { type ChildProcess, fork } from "node:child_process";
import { within } from "../lib/deadline.ts";
import type { Begin, OfSupervisor, OfWorker } from "./calls.ts";
import { Link } from "./link.ts";

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface MemberOptions {
  /** The program, and what it is to be told to become a worker. */
  readonly program: string;
  readonly command: readonly string[];
  /** The descriptor that workers are to listen on; they have it as {@link SOCKETS}. */
  readonly socket: number;
}

/** Where a worker finds the socket, behind its channel: several times, so that it lets in as many connections a turn. */
export const SOCKETS = [4, 5, 6, 7] as const;

/** A process that serves, as its supervisor sees it. */
export class Member {
  readonly number: number;
  readonly link: Link<OfWorker, OfSupervisor>;
  readonly ended: Promise<Ending>;
  /** Set once it has ended. */
  isEnded = false;
  /** Why it was ended by us, if it was. */
  reason: string | undefined;
  readonly #child: ChildProcess;

  /** @param calls what it may ask */
  constructor({ number, ...begin }: Begin, { program, command, socket }: MemberOptions, calls: OfSupervisor) {
    this.number = number;
    this.#child = fork(program, command, {
      stdio: ["ignore", "inherit", "inherit", "ipc", ...SOCKETS.map(() => socket)],
    });
    this.ended = ended(this.#child).finally(() => {
      this.isEnded = true;
    });
    this.link = new Link(this.#child, calls);
    this.link.tell("begin", { number, ...begin });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when it has ended; no handler of it runs. @param reason for the log */
  async kill(reason?: string): Promise<void> {
    this.reason ??= reason;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /**
   * Asks, and ends it where it does not answer: what it remembers might be wrong from now on.
   * @param patience ms
   * @returns whether it answered
   */
  async mustAnswer(answer: Promise<unknown>, patience: number): Promise<boolean> {
    try {
      await within(patience, answer);
      return true;
    } catch {
      await this.kill(`it did not answer within ${patience} ms`);
      return false;
    }
  }
}

function ended(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.on("error", () => {
      if (child.pid === undefined) resolve({ code: 1, signal: null }); // it could not be started
    });
  });
}
