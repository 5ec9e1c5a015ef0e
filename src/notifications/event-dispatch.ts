import type { Delivery } from "./delivery.ts";
import type { DeliveryLock } from "./delivery-lock.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import type { EventStore, QueuedEvent } from "./event-store.ts";

export interface Recipient {
  readonly figures: EndpointFigures;
  readonly delivery: Delivery;
}

export interface Recipients {
  /** In the order of the configuration. */
  readonly endpoints: readonly Recipient[];
  /** Of endpoints whose events stay although nothing is sent to them. */
  readonly disabled: readonly string[];
}

export interface DispatchOptions extends Recipients {
  readonly store: EventStore;
  readonly lock: DeliveryLock | undefined;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** Waits so many ms; false where the signal came first. */
  readonly wait: (time: number, signal: AbortSignal) => Promise<boolean>;
}

/** ms after which a delivery goes on that could not read its queue, and how often that is in vain between two lines of the log. */
const AFTER_FAILURE = 1000;
const SILENT = 60;

/** Takes in events and, in one of the processes on a folder, has them delivered. */
export class EventDispatch {
  readonly #options: DispatchOptions;
  readonly #stop = new AbortController();
  #recipients: Recipients;
  /** Deliveries that have begun and not ended, with their ends. */
  readonly #running = new Map<Delivery, Promise<void>>();
  /** This process is the one that delivers. */
  #delivers = false;
  /** Some of the recipients have not begun yet. */
  #stale = false;
  #change: Promise<void> = Promise.resolve();
  #version = -1;
  /** That this process had and has no more, with what may still wait for them. */
  readonly #removed = new Set<string>();
  /** By endpoint, since it was last said. */
  readonly #dropped = new Map<string, number>();

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#recipients = options;
  }

  /**
   * From now on others get events. Resolves when those that are there no longer have ended, and what waits for them is
   * dropped; those that are new begin with the next {@link look}.
   */
  become(recipients: Recipients): Promise<void> {
    const gone = this.#recipients.endpoints.filter((one) => !recipients.endpoints.includes(one));
    const before = this.#names();
    this.#recipients = recipients;
    for (const name of this.#names()) this.#removed.delete(name);
    for (const { delivery } of gone) delivery.leave();
    this.#change = this.#change.then(() => this.#replace(gone, before));
    return this.#change;
  }

  /**
   * What is for nobody any more is left out.
   * @throws {Error} where the disk is full or broken: nothing of it is kept then
   */
  add(all: readonly QueuedEvent[]): void {
    const { store } = this.#options;
    const { endpoints } = this.#recipients;
    const names = new Set(this.#names());
    const events = all.filter(({ endpoint }) => names.has(endpoint));
    const dropped = store.add(events);
    for (const [name, count] of dropped) this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + count);
    for (const { figures, delivery } of endpoints) {
      const added = events.filter(({ endpoint }) => endpoint === figures.name).length;
      const lost = dropped.get(figures.name) ?? 0;
      figures.events += added;
      figures.dropped += lost;
      figures.pending = Math.max(figures.pending + added - lost, 0);
      if (added > 0) delivery.wake();
    }
  }

  /** Looks at what other processes do on the folder: to be called at the start and then each second. */
  look(): void {
    const { store, lock } = this.#options;
    const { endpoints } = this.#recipients;
    const version = store.version;
    if (version !== this.#version) {
      for (const { figures, delivery } of endpoints) {
        figures.pending = store.count(figures.name);
        delivery.wake();
      }
    }
    this.#version = version;
    this.#dropRemoved();
    if (this.#stale || (!this.#delivers && (lock === undefined || lock.take()))) this.#begin();
    if (endpoints.every(({ figures }) => figures.pending === 0)) store.shrink();
    this.#sayDropped();
  }

  /** Delivers what endpoints take, for so many ms at most. */
  async close(patience: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), patience);
    if (patience === 0) this.#stop.abort();
    for (const { delivery } of this.#recipients.endpoints) delivery.drain();
    await this.#change;
    await Promise.all(this.#running.values());
    clearTimeout(timer);
    this.#sayDropped();
    this.#options.lock?.[Symbol.dispose]();
    this.#options.store[Symbol.dispose]();
  }

  #sayDropped(): void {
    for (const [name, count] of this.#dropped) {
      const what = `${count} events for endpoint ${name} were dropped, oldest pulls first`;
      this.#options.log("error", `the queue of notifications is full: ${what}`);
    }
    this.#dropped.clear();
  }

  #names(): readonly string[] {
    const { endpoints, disabled } = this.#recipients;
    return [...endpoints.map(({ figures }) => figures.name), ...disabled];
  }

  /** @throws {Error} where the queue cannot be read: to be tried again */
  #begin(): void {
    if (!this.#delivers) this.#dropForgotten();
    for (const { delivery, figures } of this.#recipients.endpoints) this.#start(delivery, figures.name);
    this.#delivers = true;
    this.#stale = false;
  }

  /** One endpoint is never sent to twice at once, so that nothing is reordered. */
  async #replace(gone: readonly Recipient[], before: readonly string[]): Promise<void> {
    await Promise.all(gone.map(({ delivery }) => this.#running.get(delivery)));
    this.#remove(before);
    if (this.#stop.signal.aborted) return;
    for (const { delivery, figures } of this.#recipients.endpoints) {
      const former = gone.find((one) => one.figures.name === figures.name);
      if (former && !this.#running.has(delivery)) delivery.follow(former.delivery);
    }
    this.#version = -1; // what waits is counted anew
    this.#stale = this.#delivers;
  }

  /** Where what waits cannot be dropped now, the next look does it. */
  #remove(before: readonly string[]): void {
    const names = new Set(this.#names());
    for (const name of before) if (!names.has(name)) this.#removed.add(name);
    try {
      this.#dropRemoved();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log("error", `what waits for endpoints that are gone cannot be dropped yet: ${reason}`);
    }
  }

  /** An endpoint that this process never had may be another one's. */
  #dropRemoved(): void {
    const { store, log } = this.#options;
    for (const name of this.#removed) {
      const count = store.forget(name);
      this.#removed.delete(name);
      if (count === 0) continue;
      log("warn", `${count} events waited for endpoint ${name}, which is no longer configured, and were dropped`);
    }
  }

  #dropForgotten(): void {
    const { store, log } = this.#options;
    for (const [name, count] of store.forgetOthers(this.#names())) {
      if (count === 0) continue;
      const what = `${count} events waited for endpoint ${name}, which is not configured`;
      log("warn", `${what}, the last of them for more than 7 days, and were dropped`);
    }
  }

  #start(delivery: Delivery, name: string): void {
    if (this.#running.has(delivery)) return;
    const end = this.#run(delivery, name).finally(() => this.#running.delete(delivery));
    this.#running.set(delivery, end);
  }

  async #run(delivery: Delivery, name: string): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; ; failures += 1) {
      try {
        return await delivery.run(signal);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const line = `endpoint ${name}: the queue of notifications cannot be read: ${reason}`;
        if (failures % SILENT === 0) this.#options.log("error", line);
        if (!(await this.#options.wait(AFTER_FAILURE, signal))) return;
      }
    }
  }
}
