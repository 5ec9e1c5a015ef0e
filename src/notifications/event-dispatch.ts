import type { Delivery } from "./delivery.ts";
import type { DeliveryLock } from "./delivery-lock.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import type { EventStore, QueuedEvent } from "./event-store.ts";

export interface DispatchOptions {
  readonly store: EventStore;
  readonly lock: DeliveryLock | undefined;
  /** In the order of the configuration. */
  readonly endpoints: readonly { readonly figures: EndpointFigures; readonly delivery: Delivery }[];
  /** Of endpoints whose events stay although nothing is sent to them. */
  readonly disabled: readonly string[];
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
  #running: Promise<unknown> | undefined;
  #version = -1;
  /** By endpoint, since it was last said. */
  readonly #dropped = new Map<string, number>();

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** @throws {Error} where the disk is full or broken: nothing of it is kept then */
  add(events: readonly QueuedEvent[]): void {
    const { store, endpoints } = this.#options;
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
    const { store, lock, endpoints } = this.#options;
    const version = store.version;
    if (version !== this.#version) {
      for (const { figures, delivery } of endpoints) {
        figures.pending = store.count(figures.name);
        delivery.wake();
      }
    }
    this.#version = version;
    if (!this.#running && (lock === undefined || lock.take())) this.#begin();
    if (endpoints.every(({ figures }) => figures.pending === 0)) store.shrink();
    this.#sayDropped();
  }

  /** Delivers what endpoints take, for so many ms at most. */
  async close(patience: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), patience);
    if (patience === 0) this.#stop.abort();
    for (const { delivery } of this.#options.endpoints) delivery.drain();
    await this.#running;
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

  #begin(): void {
    const { store, endpoints, disabled, log } = this.#options;
    const names = [...endpoints.map(({ figures }) => figures.name), ...disabled];
    for (const [name, count] of store.dropOthers(names)) {
      log("warn", `${count} events waited for endpoint ${name}, which is no longer configured, and were dropped`);
    }
    this.#running = Promise.all(endpoints.map(({ delivery, figures }) => this.#run(delivery, figures.name)));
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
