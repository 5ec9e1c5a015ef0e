/** A part that is held in common. Disposal gives it back; whoever is last to do so disposes of the part. */
export interface SharedPart<T> extends AsyncDisposable {
  readonly value: T;
  /** No other part of the program's life has the same. */
  readonly mark: string;
}

/** @param stack what the part is made of; ended with it, and at once where making it fails */
export type OpenPart<T> = (stack: AsyncDisposableStack) => Promise<T>;

/**
 * Parts that several owners hold in common, at once or in turn: one that is made of the same is taken again, and lives
 * until its last owner gives it back.
 */
export class SharedParts {
  readonly #parts = new Map<string, Entry>();
  #count = 0;

  /**
   * @param kind what it is, such as "cache"
   * @param madeOf everything that tells one of this kind from another, as JSON has it
   */
  async take<T>(kind: string, madeOf: unknown, open: OpenPart<T>): Promise<SharedPart<T>> {
    const key = JSON.stringify([kind, madeOf]);
    const entry = (this.#parts.get(key) as Entry<T> | undefined) ?? (await this.#open(key, open));
    return this.#hold(key, entry);
  }

  /** Takes one that somebody has, made of the same; undefined where nobody does. */
  takeRunning<T>(kind: string, madeOf: unknown): SharedPart<T> | undefined {
    const key = JSON.stringify([kind, madeOf]);
    const entry = this.#parts.get(key) as Entry<T> | undefined;
    return entry && this.#hold(key, entry);
  }

  #hold<T>(key: string, entry: Entry<T>): SharedPart<T> {
    entry.owners += 1;
    let given: Promise<void> | undefined;
    return {
      value: entry.value,
      mark: entry.mark,
      [Symbol.asyncDispose]: () => {
        given ??= this.#giveBack(key, entry);
        return given;
      },
    };
  }

  async #open<T>(key: string, open: OpenPart<T>): Promise<Entry<T>> {
    await using stack = new AsyncDisposableStack();
    const value = await open(stack);
    this.#count += 1;
    const entry = { value, owned: stack.move(), mark: String(this.#count), owners: 0 };
    this.#parts.set(key, entry);
    return entry;
  }

  async #giveBack(key: string, entry: Entry): Promise<void> {
    entry.owners -= 1;
    if (entry.owners > 0) return;
    this.#parts.delete(key);
    await entry.owned.disposeAsync();
  }
}

interface Entry<T = unknown> {
  readonly value: T;
  readonly owned: AsyncDisposableStack;
  readonly mark: string;
  owners: number;
}
