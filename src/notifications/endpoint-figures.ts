/** What is known of an endpoint's deliveries since this process began, as the peers count it. */
export interface EndpointFigures {
  readonly name: string;
  /** Events that wait, also those of other processes on the same folder. */
  pending: number;
  /** Those that entered the queue. */
  events: number;
  /** Answers that took an event, and others. */
  successes: number;
  failures: number;
  /** Attempts without an answer. */
  errors: number;
  /** Answers by what they said: "200 OK". */
  readonly statuses: Record<string, number>;
  /** Those that had to go because the queue was full. */
  dropped: number;
}

export function noFigures(name: string): EndpointFigures {
  return { name, pending: 0, events: 0, successes: 0, failures: 0, errors: 0, statuses: {}, dropped: 0 };
}

/** Different texts that are counted: what a receiver says is its own affair. */
const MOST_STATUSES = 50;

export function countStatus({ statuses }: EndpointFigures, text: string): void {
  const key = text in statuses || Object.keys(statuses).length < MOST_STATUSES ? text.slice(0, 100) : "other";
  statuses[key] = (statuses[key] ?? 0) + 1;
}
