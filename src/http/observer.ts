import type { Exchange } from "./exchange.ts";

/** Sees requests go by. Its calls must not throw, and take their time from every request. */
export interface RequestObserver {
  /** Its head is here. It may have to wait for those before it on its connection. */
  readonly arrived?: ((exchange: Exchange) => void) | undefined;

  /** A request whose route exists begins to be handled. */
  readonly begun?: ((exchange: Exchange) => void) | undefined;

  /** What handled it has ended, well or not. Its answer may still be on its way. */
  readonly ended?: ((exchange: Exchange) => void) | undefined;

  /** Once its answer is sent, or its client has gone. Not told of what waited behind others on a connection that closed. */
  readonly answered?: ((exchange: Exchange) => void) | undefined;

  /** Around the handling of a request whose route exists. What `handle` gives is to be given back. */
  readonly around?: ((exchange: Exchange, handle: Handling) => Promise<void> | undefined) | undefined;
}

export type Handling = () => Promise<void> | undefined;

/** All of them as one, in this order; the first of them is outermost. */
export function observeWithAll(observers: readonly RequestObserver[]): RequestObserver {
  return {
    arrived: inTurn(observers.flatMap(({ arrived }) => arrived ?? [])),
    begun: inTurn(observers.flatMap(({ begun }) => begun ?? [])),
    ended: inTurn(observers.flatMap(({ ended }) => ended ?? [])),
    answered: inTurn(observers.flatMap(({ answered }) => answered ?? [])),
    around: nested(observers.flatMap(({ around }) => around ?? [])),
  };
}

type Tell = (exchange: Exchange) => void;

function inTurn(tells: readonly Tell[]): Tell | undefined {
  if (tells.length <= 1) return tells[0];
  return (exchange) => {
    for (const tell of tells) tell(exchange);
  };
}

function nested(arounds: readonly NonNullable<RequestObserver["around"]>[]): RequestObserver["around"] {
  return arounds.reduceRight<RequestObserver["around"]>(
    (inner, outer) => (inner ? (exchange, handle) => outer(exchange, () => inner(exchange, handle)) : outer),
    undefined,
  );
}
