/** How long a reading may take and still say something of the present. Whoever keeps changes for readers elsewhere builds on it. ms */
export const LONGEST_READING = 30_000;

/**
 * Tells whoever reads something, in order to remember it, whether it was changed meanwhile. A key costs memory only while
 * somebody reads.
 */
export class ChangeWatch {
  readonly #readings = new Map<string, Set<OpenReading>>();
  readonly #now: () => number;

  /** @param now ms, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be begun before the first look, and disposed of after the last use. */
  begin(key: string): Reading {
    const end = this.#now() + LONGEST_READING;
    const reading = new OpenReading(
      () => this.#now() > end,
      () => this.#end(key, reading),
    );
    const others = this.#readings.get(key);
    if (others) others.add(reading);
    else this.#readings.set(key, new Set([reading]));
    return reading;
  }

  /** To be called after a change, before anybody is told of it. */
  changed(key: string): void {
    for (const reading of this.#readings.get(key) ?? []) reading.changed = true;
  }

  #end(key: string, reading: OpenReading): void {
    const readings = this.#readings.get(key);
    readings?.delete(reading);
    if (readings?.size === 0) this.#readings.delete(key);
  }
}

export interface Reading extends Disposable {
  /** Whether what was read may be no longer so. */
  readonly outdated: boolean;
}

class OpenReading implements Reading {
  changed = false;
  readonly #isLate: () => boolean;
  readonly #end: () => void;

  constructor(isLate: () => boolean, end: () => void) {
    this.#isLate = isLate;
    this.#end = end;
  }

  get outdated(): boolean {
    return this.changed || this.#isLate();
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
