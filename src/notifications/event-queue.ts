import type { EndpointFigures } from "./endpoint-figures.ts";
import type { QueuedEvent } from "./event-store.ts";
import type { FromQueue, ToQueue } from "./queue-messages.ts";
import { WaitingEvents } from "./waiting-events.ts";

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

/** ms until what the disk did not take is tried again, within which pulls are written, and between two lines of the log. */
const PAUSE = 1000;

/**
 * Hands events over to the thread that keeps them. All that come while a transaction runs make up the next one, so a sync of
 * the disk serves every request that waits then. What the disk does not take waits here, up to a bound.
 */
export class EventQueue {
  readonly #options: Required<EventQueueOptions>;
  /** Not there between the end of one and the beginning of the next. */
  #thread: QueueThread | undefined;
  readonly #waiting: WaitingEvents;
  /** Told when the event is kept, which is one of the waiting or of those that were sent. */
  readonly #waiters = new Map<QueuedEvent, () => void>();
  #sent: { readonly batch: number; readonly events: readonly QueuedEvent[] } | undefined;
  #batch = 0;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #ended: (() => void) | undefined;
  /** Called when nothing waits any more, or the disk takes nothing. */
  #emptied: (() => void) | undefined;
  /** By endpoint, because too many waited here. */
  readonly #dropped = new Map<string, number>();
  /** Since it was last said. */
  #unsaid = 0;
  #saying: NodeJS.Timeout | undefined;
  #figures: readonly EndpointFigures[] = [];

  constructor(options: EventQueueOptions) {
    this.#options = { patience: 5000, memory: 64 * 1024 * 1024, ...options };
    this.#waiting = new WaitingEvents(this.#options.memory);
    this.#thread = this.#begin();
  }

  /** Of each endpoint, at most a second old. */
  get figures(): readonly EndpointFigures[] {
    return this.#figures.map((one) => ({ ...one, dropped: one.dropped + (this.#dropped.get(one.name) ?? 0) }));
  }

  /** Resolves when they would survive a power cut; or when the disk takes none, or too long. Never rejects. */
  async keep(events: readonly QueuedEvent[]): Promise<void> {
    this.#take(events);
    const last = events.findLast(({ pull }) => !pull) ?? events.at(-1); // changes go in their order, pulls may come later
    if (!this.#failing && last) await this.#inTime((kept) => this.#waiters.set(last, kept));
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
    if (this.#sent || this.#waiting.length > 0) {
      await this.#inTime((emptied) => {
        this.#emptied = emptied;
      });
    }
    clearTimeout(this.#timer);
    this.#sayDropped();
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

  /** @param wait is given what ends the waiting */
  async #inTime(wait: (done: () => void) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.patience);
    wait(resolve);
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
    for (const event of this.#waiting.add(events)) {
      this.#dropped.set(event.endpoint, (this.#dropped.get(event.endpoint) ?? 0) + 1);
      this.#unsaid += 1;
      this.#release(event);
    }
    if (this.#unsaid > 0) this.#saying ??= setTimeout(() => this.#sayDropped(), PAUSE).unref();
  }

  #release(event: QueuedEvent): void {
    this.#waiters.get(event)?.();
    this.#waiters.delete(event);
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
    const events = this.#waiting.take(BATCH);
    this.#sent = { batch: this.#batch, events };
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
    const { events = [] } = this.#sent ?? {};
    this.#sent = undefined;
    this.#waiting.settle(events, true);
    for (const event of events) this.#release(event);
    if (this.#failing) this.#options.log("info", "notifications are kept again");
    this.#failing = false;
    const isUrgent = this.#waiters.size > 0 || this.#emptied !== undefined || this.#waiting.length >= BATCH;
    if (this.#waiting.length === 0) this.#emptied?.();
    else if (isUrgent) this.#flush();
    else this.#later();
  }

  /** The requests go on: what they did is done. */
  #refused(reason: string): void {
    const { events = [] } = this.#sent ?? {};
    this.#sent = undefined;
    this.#waiting.settle(events, false);
    for (const event of [...this.#waiters.keys()]) this.#release(event);
    this.#emptied?.();
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

  #sayDropped(): void {
    clearTimeout(this.#saying);
    this.#saying = undefined;
    if (this.#unsaid === 0) return;
    const what = `${this.#unsaid} events were dropped, oldest pulls first`;
    this.#options.log("error", `${what}: too many wait to be kept`);
    this.#unsaid = 0;
  }
}
