import { Worker } from "node:worker_threads";
import type { DigestAlgorithm } from "../oci/digest.ts";
import { type Order, type Report, SLOT_COUNT, SLOT_SIZE } from "./hash-messages.ts";
import { HashSlots } from "./hash-slots.ts";
import { type Hashing, type HashOrigin, toResting } from "./hashing.ts";
import type { RestingHash, RunningHash } from "./running-hash.ts";

/** The compiler does not see this name, so it is the one of the file beside, of the source or of what was made of it. */
const SCRIPT = new URL(import.meta.url.endsWith(".ts") ? "./hash-thread.ts" : "./hash-thread.js", import.meta.url);

/**
 * In a thread of its own, which begins with the first hash. It never keeps the process from its end but while a hash runs.
 * A thread that breaks loses its hashes, and the next hash begins another one.
 */
export class ThreadHashing implements Hashing {
  readonly #complain: (reason: string) => void;
  readonly #script: URL;
  #thread: HashThread | undefined;
  #isEnded = false;

  /** @param complain told why a thread broke */
  constructor(complain: (reason: string) => void, script: URL = SCRIPT) {
    this.#complain = complain;
    this.#script = script;
  }

  start(algorithm: DigestAlgorithm, from?: HashOrigin): RunningHash {
    if (this.#isEnded) return lostHash(algorithm);
    if (this.#thread === undefined || this.#thread.isOver) {
      this.#thread = new HashThread(this.#script, this.#complain);
    }
    return this.#thread.start(this, algorithm, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#thread?.[Symbol.asyncDispose]();
  }
}

function lostHash(algorithm: DigestAlgorithm): RunningHash {
  return { algorithm, update: () => undefined, rest: async () => undefined, [Symbol.dispose]: () => undefined };
}

type Saved = Extract<Report, { kind: "rested" }>["saved"];

/** One thread from its start to its end. */
class HashThread implements AsyncDisposable {
  readonly slots: HashSlots = new HashSlots(SLOT_COUNT, SLOT_SIZE);
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  /** Hashes that run. */
  readonly #running = new Set<number>();
  readonly #resting = new Map<number, (saved: Saved) => void>();
  #last = 0;
  #isOver = false;

  constructor(script: URL, complain: (reason: string) => void) {
    // The process's own arguments may be such as no file can be started with: --input-type.
    this.#worker = new Worker(script, { workerData: this.slots.memory, name: "hashing", execArgv: [] });
    this.#worker.unref();
    this.#worker.on("message", (report: Report) => this.#hear(report));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("error", (error) => {
        this.#lose();
        complain(String(error));
      });
      this.#worker.on("exit", () => {
        this.#lose();
        resolve();
      });
    });
  }

  /** Takes no more hashes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  start(hashing: Hashing, algorithm: DigestAlgorithm, from: HashOrigin | undefined): RunningHash {
    this.#last += 1;
    const hash = this.#last;
    this.#running.add(hash);
    this.#worker.ref();
    this.#order({ kind: "start", hash, algorithm, ...(from && { state: from.state }) });
    const rest = async (): Promise<RestingHash | undefined> => {
      const saved = await this.#rest(hash);
      return saved && toResting(hashing, algorithm, saved, from?.fromStorage);
    };
    const forget = (): void => void this.#rest(hash);
    return { algorithm, update: (chunk) => this.#update(hash, chunk), rest, [Symbol.dispose]: forget };
  }

  /** What was ordered before is done first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#order({ kind: "end" });
    this.#isOver = true;
    this.#worker.ref();
    await this.#ended;
  }

  /** Takes what there is room for at once. */
  #update(hash: number, chunk: Uint8Array): void | Promise<void> {
    for (let at = 0; at < chunk.length; at += SLOT_SIZE) {
      const slot = this.slots.tryTake();
      if (slot === undefined) return this.#updateLater(hash, chunk.subarray(at));
      this.#hand(hash, slot, chunk.subarray(at, at + SLOT_SIZE));
    }
  }

  async #updateLater(hash: number, chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += SLOT_SIZE) {
      const slot = await this.slots.take();
      if (slot === undefined) return;
      this.#hand(hash, slot, chunk.subarray(at, at + SLOT_SIZE));
    }
  }

  #hand(hash: number, slot: number, bytes: Uint8Array): void {
    this.slots.fill(slot, bytes);
    this.#order({ kind: "update", hash, slot, length: bytes.length });
  }

  /** Once a hash; there is none afterwards. */
  async #rest(hash: number): Promise<Saved> {
    if (!this.#running.delete(hash) || this.#isOver) return undefined;
    this.#order({ kind: "rest", hash });
    const saved = await new Promise<Saved>((resolve) => this.#resting.set(hash, resolve));
    if (this.#running.size === 0 && this.#resting.size === 0) this.#worker.unref();
    return saved;
  }

  #order(order: Order): void {
    this.#worker.postMessage(order);
  }

  #hear(report: Report): void {
    if (report.kind === "free") {
      this.slots.give(report.slot);
    } else {
      this.#resting.get(report.hash)?.(report.saved);
      this.#resting.delete(report.hash);
    }
  }

  #lose(): void {
    this.#isOver = true;
    this.slots.end();
    for (const resolve of this.#resting.values()) resolve(undefined);
    this.#resting.clear();
    this.#running.clear();
  }
}
