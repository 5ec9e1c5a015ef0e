import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { QUEUE_FILE } from "./queue-files.ts";

export interface EndpointStatus {
  readonly name: string;
  /** Events that wait. */
  readonly pending: number;
  readonly bytes: number;
  /** When the first of those that wait came; undefined where none does. */
  readonly oldest: Date | undefined;
  readonly failing: { readonly since: Date; readonly at: Date; readonly error: string } | undefined;
}

/**
 * What the queue in a folder holds, read beside a registry that runs or not.
 * @param configured names of endpoints that are told of in any case
 * @throws {Error} where the file cannot be read
 */
export function readQueueStatus(folder: string, configured: readonly string[]): readonly EndpointStatus[] {
  const path = join(folder, QUEUE_FILE);
  const rows = existsSync(path) ? readRows(path) : [];
  const byName = new Map(rows.map((row) => [String(row["name"]), row]));
  return [...new Set([...configured, ...byName.keys()])].map((name) => toStatus(name, byName.get(name) ?? {}));
}

type Row = Readonly<Record<string, unknown>>;

function readRows(path: string): readonly Row[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    return database.prepare(SQL).all();
  } finally {
    database.close();
  }
}

const SQL = `
  WITH waiting AS (
    SELECT endpoint AS name, count(*) AS pending, sum(length(CAST(body AS BLOB))) AS bytes, min(queued) AS oldest
    FROM events GROUP BY endpoint
  )
  SELECT name, pending, bytes, oldest, failing_since, failed_at, error
  FROM waiting FULL JOIN endpoints USING (name) ORDER BY name`;

function toStatus(name: string, row: Row): EndpointStatus {
  const { pending, bytes, oldest, failing_since: since, failed_at: at, error } = row;
  return {
    name,
    pending: Number(pending ?? 0),
    bytes: Number(bytes ?? 0),
    oldest: typeof oldest === "number" ? new Date(oldest) : undefined,
    failing:
      typeof error === "string" ? { since: new Date(Number(since)), at: new Date(Number(at)), error } : undefined,
  };
}
