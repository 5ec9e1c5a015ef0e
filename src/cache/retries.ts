import { waited } from "../lib/waited.ts";
import { RefusedCommand } from "./redis-connection.ts";

export interface Retries {
  /** How often something is tried again. */
  readonly most: number;
  /** ms before the first one; each further one waits twice as long. */
  readonly first: number;
  /** ms */
  readonly longest: number;
}

/** Words of a server with which it may do the same a moment later. */
const PASSING = /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ERR max number of clients)\b/;

/** So that whatever else there is to do gets its turn. ms */
const LEAST = 1;

/**
 * Tries again what failed because there was no connection, or because the server could not do it just then.
 * @param signal ends the waiting, after which nothing more is tried
 */
export async function repeated<T>(
  attempt: () => Promise<T>,
  { most, first, longest }: Retries,
  signal: AbortSignal,
): Promise<T> {
  for (let made = 0; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (made >= most || (error instanceof RefusedCommand && !PASSING.test(error.message))) throw error;
      if (!(await waited(Math.max(LEAST, Math.min(first * 2 ** made, longest)), signal))) throw error;
    }
  }
}
