import { Budget } from "../lib/budget.ts";
import { mapConcurrent } from "../lib/concurrency.ts";

/** Looked at at once by one that lists. */
export const LOOK_AHEAD = 64;

/** By all together: half of what the storage is asked at once before it counts as one that does not keep up. */
const TOGETHER = 512;

/** What is looked at while listing. Who finds too many others at it waits. */
export class LookAhead {
  readonly #room = new Budget(TOGETHER);

  /** @param items at most {@link LOOK_AHEAD} */
  async at<T, R>(items: readonly T[], look: (item: T) => Promise<R>): Promise<R[]> {
    using _room = await this.#room.take(items.length);
    return await mapConcurrent(items, items.length, look);
  }
}
