/**
 * What waits for a turn, in a lane for each of those who ask. Lanes take turns, so that nobody waits for more than one item
 * of each other lane; within a lane, first come first served. When there is no place left, whoever has the most waiting
 * gives one up.
 */
export class FairQueue<T> {
  /** In the order of their turns; none is empty. */
  readonly #lanes = new Map<string, T[]>();
  readonly #places: number;
  #length = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** @returns what has no place: nothing, the item itself, or the last of the longest lane */
  push(lane: string, item: T): T | undefined {
    if (this.#length < this.#places) {
      this.#add(lane, item);
      return undefined;
    }
    const longest = this.#longest();
    const own = this.#lanes.get(lane)?.length ?? 0;
    if (!longest || longest.length < own + 2) return item;
    const displaced = longest.pop();
    this.#length -= 1;
    this.#add(lane, item);
    return displaced;
  }

  shift(): T | undefined {
    for (const [lane, items] of this.#lanes) {
      const first = items.shift();
      this.#length -= 1;
      this.#lanes.delete(lane);
      if (items.length > 0) this.#lanes.set(lane, items);
      return first;
    }
    return undefined;
  }

  #add(lane: string, item: T): void {
    const items = this.#lanes.get(lane);
    if (items) items.push(item);
    else this.#lanes.set(lane, [item]);
    this.#length += 1;
  }

  #longest(): T[] | undefined {
    let longest: T[] | undefined;
    for (const items of this.#lanes.values()) if (items.length > (longest?.length ?? 0)) longest = items;
    return longest;
  }
}
