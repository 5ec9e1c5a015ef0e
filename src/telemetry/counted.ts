/** What other parts count on their own, and metrics tell when they are asked: nothing of it costs a request anything. */

/** Since the start. */
export interface LookupCounts {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  /** Lookups that could not be made, such as in a Redis that is down. */
  readonly errors: number;
}

/** Of one endpoint that is notified. */
export interface EndpointCounts {
  readonly name: string;
  /** Events that are not delivered yet. */
  readonly pending: number;
  /** Since the start: events taken, deliveries that succeeded, that were refused, and that could not be made. */
  readonly events: number;
  readonly successes: number;
  readonly failures: number;
  readonly errors: number;
  /** Events that were given up because too many waited. */
  readonly dropped: number;
  /** Answers by their status line, such as `200 OK`. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface Counted {
  /** Of the descriptor cache; not set: there is none. */
  readonly cache?: (() => LookupCounts) | undefined;
  readonly endpoints?: (() => readonly EndpointCounts[]) | undefined;
}
