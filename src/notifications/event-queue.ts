import type { EndpointFigures } from "./endpoint-figures.ts";
import type { QueuedEvent } from "./event-store.ts";
import type { FromQueue, ToQueue } from "./queue-messages.ts";

/** The thread that has the queue. */
export interface QueueThread {
  send(message: ToQueue): void;
  /** Ends it at once, where it has not ended yet. */
  end(): Promise<void>;
}

/** Begins one. `onEnd` is called when it ends, for whatever reason. */
export type BeginThread = (onMessage: (message: FromQueue) => void, onEnd: (error?: Error) => void) => QueueThread;

export interface EventQueueOptions {
  readonly begin: BeginThread;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** ms that a request waits for the disk. */
  readonly patience?: number;
  /** Bytes of events that wait here while the disk takes none. */
  readonly memory?: number;
}

/** Events of one transaction. */
const BATCH = 1000;

/** ms until what the disk did not take is tried again, and within which pulls are written. */
const PAUSE = 1000;

/**
 * Hands events over to the thread that keeps them. All that come while a transaction runs make up the next one, so a sync of
 * the disk serves every request that waits then. What the disk does not take waits here, up to a bound.
 */
export class EventQueue {
  readonly #options: Required<EventQueueOptions>;
  /** Not there between the end of one and the beginning of the next. */
  #thread: QueueThread | undefined;
  #waiting: QueuedEvent[] = [];
  #bytes = 0;
  /** Those whose events are among the waiting. */
  #waiters: (() => void)[] = [];
  #sent: { readonly batch: number; readonly events: QueuedEvent[]; readonly waiters: (() => void)[] } | undefined;
  #batch = 0;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #ended: (() => void) | undefined;
  /** By endpoint, because too many waited here. */
  readonly #dropped = new Map<string, number>();
  #figures: readonly EndpointFigures[] = [];

  constructor(options: EventQueueOptions) {
    this.#options = { patience: 5000, memory: 64 * 1024 * 1024, ...options };
    this.#thread = this.#begin();
  }

  /** Of each endpoint, at most a second old. */
  get figures(): readonly EndpointFigures[] {
    return this.#figures.map((one) => ({ ...one, dropped: one.dropped + (this.#dropped.get(one.name) ?? 0) }));
  }

  /** Resolves when they would survive a power cut; or when the disk takes none, or too long. Never rejects. */
  async keep(events: readonly QueuedEvent[]): Promise<void> {
    this.#take(events);
    if (!this.#failing && events.length > 0) await this.#settle();
  }

  /** To be written within a second. */
  note(events: readonly QueuedEvent[]): void {
    this.#take(events);
    if (this.#waiting.length >= BATCH && !this.#failing) this.#flush();
    else this.#later();
  }

  /** Hands a message on to the thread; one that begins later has to know it by itself. */
  tell(message: Extract<ToQueue, { readonly kind: "become" }>): void {
    this.#thread?.send(message);
  }

  /** Writes what waits, and has delivered what endpoints take within so many ms. */
  async close(patience: number): Promise<void> {
    this.#failing = false;
    await this.#settle();
    clearTimeout(this.#timer);
    const left = this.#waiting.length + (this.#sent?.events.length ?? 0);
    if (left > 0) this.#options.log("error", `${left} events could not be kept, and are lost`);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = resolve;
    if (this.#thread) this.#thread.send({ kind: "close", patience });
    else resolve();
    const timer = setTimeout(resolve, patience + this.#options.patience);
    await promise;
    clearTimeout(timer);
    await this.#thread?.end();
  }

  /** Until nothing waits any more, as far as the disk takes it in time. */
  async #settle(): Promise<void> {
    const waiters = this.#waiting.length > 0 ? this.#waiters : this.#sent?.waiters;
    if (!waiters) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.patience);
    waiters.push(resolve);
    this.#flush();
    await promise;
    clearTimeout(timer);
  }

  #begin(): QueueThread {
    return this.#options.begin(
      (message) => this.#hear(message),
      (error) => this.#lostThread(error),
    );
  }

  #take(events: readonly QueuedEvent[]): void {
    for (const event of events) {
      this.#waiting.push(event);
      this.#bytes += sizeOf(event);
    }
    if (this.#bytes > this.#options.memory) this.#makeRoom();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, PAUSE).unref();
  }

  #flush(): void {
    this.#thread ??= this.#begin();
    if (this.#sent || this.#waiting.length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#batch += 1;
    const events = this.#waiting.splice(0, BATCH);
    const waiters = this.#waiting.length === 0 ? this.#waiters.splice(0) : [];
    this.#sent = { batch: this.#batch, events, waiters };
    this.#thread.send({ kind: "add", batch: this.#batch, events });
  }

  #hear(message: FromQueue): void {
    if (message.kind === "log") this.#options.log(message.level, message.message);
    else if (message.kind === "figures") this.#figures = message.figures;
    else if (message.kind === "closed") this.#ended?.();
    else if (message.batch !== this.#sent?.batch) return;
    else if (message.kind === "added") this.#added();
    else this.#refused(message.reason);
  }

  #added(): void {
    const { events = [], waiters = [] } = this.#sent ?? {};
    this.#sent = undefined;
    for (const event of events) this.#bytes -= sizeOf(event);
    for (const done of waiters) done();
    if (this.#failing) this.#options.log("info", "notifications are kept again");
    this.#failing = false;
    if (this.#waiters.length > 0 || this.#waiting.length >= BATCH) this.#flush();
    else if (this.#waiting.length > 0) this.#later();
  }

  /** The requests go on: what they did is done. */
  #refused(reason: string): void {
    const { events = [], waiters = [] } = this.#sent ?? {};
    this.#sent = undefined;
    this.#waiting = [...events, ...this.#waiting];
    for (const done of [...waiters, ...this.#waiters.splice(0)]) done();
    if (!this.#failing) {
      this.#options.log("error", `notifications cannot be kept, and wait in memory until they can: ${reason}`);
    }
    this.#failing = true;
    this.#later();
  }

  #lostThread(error: Error | undefined): void {
    this.#thread = undefined;
    if (this.#ended) this.#ended();
    else this.#refused(`their thread ended${error ? `, because ${error.message}` : ""}`);
  }

  /** The oldest pulls go first, then the oldest of all: down to nine tenths, so that it is rarely done. */
  #makeRoom(): void {
    const before = this.#waiting.length;
    for (const only of [true, false]) this.#waiting = this.#waiting.filter((event) => !this.#drop(event, only));
    const count = before - this.#waiting.length;
    if (count > 0)
      this.#options.log("error", `${count} events were dropped, oldest pulls first: too many wait to be kept`);
  }

  #drop(event: QueuedEvent, onlyPulls: boolean): boolean {
    if (this.#bytes <= this.#options.memory * 0.9 || (onlyPulls && !event.pull)) return false;
    this.#bytes -= sizeOf(event);
    this.#dropped.set(event.endpoint, (this.#dropped.get(event.endpoint) ?? 0) + 1);
    return true;
  }
}

/** Bytes, more or less: what an event's objects take counts too. */
function sizeOf({ body }: QueuedEvent): number {
  return body.length + 200;
}
