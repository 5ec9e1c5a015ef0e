import type { LimitKind, LimitPeers } from "../http/limits.ts";
import type { ConnectionPeers } from "../http/shared-connections.ts";
import type { Taken, Tally } from "./calls.ts";

/** How long others may not know what was counted here. ms */
const DELAY = 20;

/** Addresses and users whose requests are told at once; of others nobody learns this time. */
const MOST_KEYS = 20_000;

/** What this worker admits and what the others do. Nothing is told before something is counted. */
export class SharedTally implements LimitPeers, ConnectionPeers {
  readonly #tell: (tally: Tally & { readonly taken: Taken }) => void;
  readonly #heeding = new Set<Parameters<LimitPeers["heed"]>[0]>();
  readonly #taken = new Map<string, [kind: LimitKind, key: string, count: number]>();
  #own: Tally = { connections: 0, uploads: 0 };
  #others: Tally = { connections: 0, uploads: 0 };
  #timer: NodeJS.Timeout | undefined;
  #onConnections: (others: number) => void = () => undefined;

  constructor(tell: (tally: Tally & { readonly taken: Taken }) => void) {
    this.#tell = tell;
  }

  get uploads(): number {
    return this.#others.uploads;
  }

  tellUploads(uploads: number): void {
    this.#own = { ...this.#own, uploads };
    this.#flush();
  }

  tellConnections(connections: number): void {
    this.#own = { ...this.#own, connections };
    this.#flush();
  }

  tellTaken(kind: LimitKind, key: string): void {
    const id = `${kind} ${key}`;
    const taken = this.#taken.get(id);
    if (taken) taken[2] += 1;
    else if (this.#taken.size < MOST_KEYS) this.#taken.set(id, [kind, key, 1]);
    this.#timer ??= setTimeout(() => this.#flush(), DELAY).unref();
  }

  heed(take: Parameters<LimitPeers["heed"]>[0]): Disposable {
    this.#heeding.add(take);
    return { [Symbol.dispose]: () => void this.#heeding.delete(take) };
  }

  heedConnections(heed: (others: number) => void): void {
    this.#onConnections = heed;
    heed(this.#others.connections);
  }

  /** To be called where the supervisor tells of the others. */
  hear({ taken, ...others }: Tally & { readonly taken: Taken }): void {
    this.#others = others;
    this.#onConnections(others.connections);
    for (const [kind, key, count] of taken) for (const take of this.#heeding) take(kind, key, count);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell({ ...this.#own, taken: [...this.#taken.values()] });
    this.#taken.clear();
  }
}
