import { Allowance } from "../lib/allowance.ts";
import { RegistryError, TooManyRequests, Unauthorized, Unavailable } from "../oci/errors.ts";
import type { EdgeLog } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { requestInfo } from "./request-info.ts";

/** Lines in ms: whoever guesses passwords must not fill a disk. */
const [LINES, PERIOD] = [20, 1000];

/** Tells the log of requests that access control did not let in, and what clients are told. */
export class Refusals {
  readonly #log: EdgeLog;
  readonly #lines: Allowance;

  /** @param now ms, never going back */
  constructor(log: EdgeLog, now?: () => number) {
    this.#log = log;
    this.#lines = new Allowance(LINES, PERIOD, now);
  }

  /**
   * @param error what the controller threw
   * @returns what to answer: whatever is no refusal is a failure, which lets nobody in
   */
  tell(error: unknown, exchange: Exchange): RegistryError {
    const answer = error instanceof RegistryError ? error : new Unavailable("access control failed; the log says how");
    const isFailure = !(answer instanceof Unauthorized || answer instanceof TooManyRequests);
    const unsaid = this.#lines.take();
    if (unsaid === undefined) return answer;
    const { address, method } = requestInfo(exchange);
    const fields = {
      "http.request.method": method,
      "http.request.remoteaddr": address,
      ...(unsaid > 0 && { unsaid }),
      ...(isFailure && { err: error }),
    };
    this.#log[isFailure ? "error" : "warn"](fields, `error authorizing context: ${reasonOf(error)}`);
    return answer;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Unauthorized) return error.reason;
  if (error instanceof RegistryError && typeof error.detail === "string") return error.detail;
  return error instanceof Error ? error.message : String(error);
}
