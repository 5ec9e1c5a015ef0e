import type { QueuedEvent } from "./event-store.ts";

/** Events that wait in memory for the disk, up to a bound. */
export class WaitingEvents {
  readonly #limit: number;
  #events: QueuedEvent[] = [];
  #bytes = 0;
  /** Bytes of those that were taken and may come back. */
  #out = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#events.length;
  }

  /**
   * Down to nine tenths where there is no room, so that it is rarely done: the oldest pulls go first, then the oldest of all.
   * @returns those that had to go
   */
  add(events: readonly QueuedEvent[]): readonly QueuedEvent[] {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += sizeOf(event);
    }
    return this.#bytes + this.#out > this.#limit ? this.#makeRoom() : [];
  }

  /**
   * Takes out the oldest, in their order. Where more wait than that, changes go before pulls, so that no request waits for
   * the pulls of others. They count until {@link settle}.
   */
  take(count: number): readonly QueuedEvent[] {
    const batch = this.#events.length > count ? this.#takeChanges(count) : [];
    batch.push(...this.#events.splice(0, count - batch.length));
    const bytes = sizeOfAll(batch);
    this.#bytes -= bytes;
    this.#out += bytes;
    return batch;
  }

  /** What was taken is kept elsewhere, or comes back before the others. */
  settle(batch: readonly QueuedEvent[], isKept: boolean): void {
    const bytes = sizeOfAll(batch);
    this.#out -= bytes;
    if (isKept) return;
    this.#events = [...batch, ...this.#events];
    this.#bytes += bytes;
  }

  #takeChanges(count: number): QueuedEvent[] {
    const changes: QueuedEvent[] = [];
    const isLeft = (event: QueuedEvent): boolean => {
      if (event.pull || changes.length === count) return true;
      changes.push(event);
      return false;
    };
    this.#events = this.#events.filter(isLeft);
    return changes;
  }

  #makeRoom(): readonly QueuedEvent[] {
    const gone: QueuedEvent[] = [];
    for (const onlyPulls of [true, false]) {
      this.#events = this.#events.filter((event) => {
        const stays = this.#bytes + this.#out <= this.#limit * 0.9 || (onlyPulls && !event.pull);
        if (!stays) this.#bytes -= sizeOf(event);
        if (!stays) gone.push(event);
        return stays;
      });
    }
    return gone;
  }
}

function sizeOfAll(events: readonly QueuedEvent[]): number {
  return events.reduce((sum, event) => sum + sizeOf(event), 0);
}

/** Bytes, more or less: what an event's objects take counts too. */
function sizeOf({ body }: QueuedEvent): number {
  return body.length + 200;
}
