import type { ProxyVariables } from "../lib/proxy-variables.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import type { QueuedEvent } from "./event-store.ts";

/** What the thread that serves tells the one that has the queue. */
export type ToQueue =
  | { readonly kind: "add"; readonly batch: number; readonly events: readonly QueuedEvent[] }
  /** From now on there are other endpoints. */
  | { readonly kind: "become"; readonly endpoints: QueueEndpoints }
  /** To deliver what the endpoints take within so many ms, and end. */
  | { readonly kind: "close"; readonly patience: number };

/** And what it is told. */
export type FromQueue =
  | { readonly kind: "added"; readonly batch: number }
  | { readonly kind: "refused"; readonly batch: number; readonly reason: string }
  | { readonly kind: "log"; readonly level: "info" | "warn" | "error"; readonly message: string }
  | { readonly kind: "figures"; readonly figures: readonly EndpointFigures[] }
  | { readonly kind: "closed" };

/** What the queue's thread works with. */
export interface QueueOptions extends QueueEndpoints {
  /** Where its files are; none where nothing is kept beyond the process. */
  readonly folder: string | undefined;
  /** Bytes. */
  readonly limit: number;
  readonly proxies: ProxyVariables;
}

export interface QueueEndpoints {
  readonly endpoints: readonly QueueEndpoint[];
  /** Names of those that are configured and get nothing now: what waits for them stays. */
  readonly disabled: readonly string[];
}

export interface QueueEndpoint {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly timeout: number;
  readonly threshold: number;
  readonly backoff: number;
}
