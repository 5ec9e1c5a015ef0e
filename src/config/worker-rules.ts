import type { Config } from "./config.ts";
import type { Finding } from "./finding.ts";
import { driverName } from "./rules.ts";
import { MOST_WORKERS } from "./schema-limits.ts";
import { find, type Mapping, Scalar } from "./tree.ts";

/** What the schema cannot say of `wharfinger.workers`: two things belong to a single process. */
export function workerFindings(root: Mapping): Finding[] {
  const given = find(root, ["wharfinger", "workers"]);
  if (!(given instanceof Scalar) || !(Number(given.text) > 1)) return [];
  const obstacle = driverName(root) === "inmemory" ? IN_MEMORY : isIssued(root) ? ISSUED : undefined;
  if (obstacle === undefined) return [];
  const sentence = `wharfinger.workers is "${given.text}", but ${obstacle}: use 1 or auto`;
  return [{ about: "wharfinger.workers", where: given.where, sentence, fatal: true }];
}

const IN_MEMORY = "storage.inmemory is the memory of one process";
const ISSUED = "http.tls.letsencrypt proves in one process that a name is ours";

function isIssued(root: Mapping): boolean {
  const folder = find(root, ["http", "tls", "letsencrypt", "cachefile"]);
  return folder instanceof Scalar && folder.text !== "";
}

/**
 * How many processes serve.
 * @param cores that can be used
 */
export function numberOfWorkers({ wharfinger, storage, http }: Config, cores: number): number {
  if (wharfinger.workers !== "auto") return wharfinger.workers;
  const isSingle = storage.driver.name === "inmemory" || http.tls.letsencrypt.cachefile !== undefined;
  return isSingle ? 1 : Math.min(Math.max(1, cores), MOST_WORKERS);
}
