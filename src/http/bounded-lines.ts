import { Allowance } from "../lib/allowance.ts";
import { TooManyRequests } from "../oci/errors.ts";
import type { Exchange } from "./exchange.ts";
import { type RequestLine, requestLines } from "./request-line.ts";

/** Requests in ms: nobody fills a disk who is not let in. */
const [REQUESTS, PERIOD] = [20, 1000];

/** What the log says of requests: of those that anybody can send, let in or not, only so many a second. */
export class BoundedLines {
  readonly #strangers: Allowance;

  /** @param now ms, never going back */
  constructor(now?: () => number) {
    this.#strangers = new Allowance(REQUESTS, PERIOD, now);
  }

  /** The first of those that follow some without a line says how many had none. */
  of(exchange: Exchange): readonly RequestLine[] {
    const lines = requestLines(exchange);
    if (lines.length === 0 || !isAnybodys(exchange)) return lines;
    const unsaid = this.#strangers.take();
    if (unsaid === undefined) return [];
    return unsaid === 0 ? lines : lines.map(({ fields, ...line }) => ({ ...line, fields: { ...fields, unsaid } }));
  }
}

/** What no route took, what is asked of nobody, what access control refused, and what was too much. */
function isAnybodys({ action, refused, errors }: Exchange): boolean {
  return action === undefined || action === "anything" || refused === true || errors?.[0] instanceof TooManyRequests;
}
