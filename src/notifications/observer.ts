import type { ManifestKinds } from "../oci/manifest-kinds.ts";
import type { Action, EventRequest, EventTarget, RegistryEvent } from "./event.ts";

/** Where events go. */
export interface EventSink {
  /** Resolves when they are kept, in this order; or when that is not worth waiting for any longer. */
  keep(events: readonly RegistryEvent[]): Promise<void>;
  /** For what may be lost with a second of the process's life. */
  note(event: RegistryEvent): void;
  /** Of an event that there should be and is not. */
  complain(message: string, error: unknown): void;
}

export interface ObserverOptions {
  readonly kinds: ManifestKinds;
  /** `notifications.events.includereferences` */
  readonly references: boolean;
}

/** What one request does is told to a sink. */
export class Observer {
  readonly options: ObserverOptions;
  /** The URL of this registry as the client knows it, with a slash at its end. */
  readonly base: string;
  readonly #sink: EventSink;
  readonly #request: EventRequest;

  constructor(options: ObserverOptions, sink: EventSink, request: EventRequest, base: string) {
    this.options = options;
    this.base = base;
    this.#sink = sink;
    this.#request = request;
  }

  tell(action: Exclude<Action, "pull">, ...targets: readonly EventTarget[]): Promise<void> {
    return this.#sink.keep(targets.map((target) => ({ action, target, request: this.#request })));
  }

  /** @param describe may fail, where a peer stored what cannot be read: it is not told then */
  pulled(describe: () => EventTarget): void {
    try {
      this.#sink.note({ action: "pull", target: describe(), request: this.#request });
    } catch (error) {
      this.#sink.complain("a pull cannot be told", error);
    }
  }
}
