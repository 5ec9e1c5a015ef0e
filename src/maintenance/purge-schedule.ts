import { waited } from "../lib/waited.ts";
import type { Store } from "../registry/store.ts";
import { type PurgeReport, purgeUploads } from "./upload-purge.ts";

export interface PurgeScheduleOptions {
  /** ms */
  readonly age: number;
  /** ms between two runs, a minute at least */
  readonly interval: number;
  readonly dryRun: boolean;
  /** Told in sentences what happens. */
  readonly report: (message: string) => void;
  /** Told where a run could not be finished, or not for every session. */
  readonly complain: (message: string) => void;
}

/** The first run comes after up to an hour, so that processes started together do not all walk at once. ms */
const FIRST_WITHIN = 60 * 60 * 1000;

/** Runs do not follow each other without a pause. ms */
const LEAST_INTERVAL = 60_000;

/** Purges now and then until disposed of; disposal ends a run that is under way. */
export function schedulePurge(store: Store, options: PurgeScheduleOptions): AsyncDisposable {
  const stop = new AbortController();
  const first = Math.floor(Math.random() * FIRST_WITHIN);
  options.report(`Starting upload purge in ${Math.round(first / 60_000)} minutes`);
  const running = run(store, options, first, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function run(
  store: Store,
  { age, interval, dryRun, report, complain }: PurgeScheduleOptions,
  first: number,
  signal: AbortSignal,
): Promise<void> {
  for (let wait = first; await waited(wait, signal); wait = Math.max(interval, LEAST_INTERVAL)) {
    const now = Date.now();
    const olderThan = new Date(now - age).toISOString();
    report(`PurgeUploads starting: olderThan=${olderThan}, actuallyDelete=${!dryRun}`);
    try {
      const done = await purgeUploads(store, { age, dryRun, now, signal });
      (done.errors.length > 0 ? complain : report)(summary(done));
    } catch (error) {
      if (!signal.aborted) complain(`Purge uploads failed: ${String(error)}`);
    }
  }
}

function summary({ deleted, errors }: PurgeReport): string {
  const why = errors.length > 0 ? `; the first: ${String(errors[0])}` : "";
  return `Purge uploads finished.  Num deleted=${deleted}, num errors=${errors.length}${why}`;
}
