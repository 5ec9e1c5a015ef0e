import type { MetricObjectWithValues, MetricValue } from "prom-client";
import type { EndpointCounts, LookupCounts } from "./counted.ts";
import type { Usage } from "./debug-variables.ts";

/** What one worker tells of itself. */
export interface Report extends Usage {
  /** As prom-client has them; undefined where nothing is measured. */
  readonly metrics: readonly Metric[] | undefined;
  /** What is not well, by the name of its check. */
  readonly failures: Readonly<Record<string, string>>;
  readonly cache: LookupCounts | undefined;
  readonly endpoints: readonly EndpointCounts[];
}

export type Metric = MetricObjectWithValues<MetricValue<string>>;
