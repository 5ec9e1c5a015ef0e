import { parseDuration } from "./duration.ts";
import type { Finding } from "./finding.ts";
import { LONGEST_HEADER } from "./schema.ts";
import { find, type Mapping, Scalar } from "./tree.ts";

/** Keys that are valid and do less than they say. */
export function cutFindings(root: Mapping): Finding[] {
  return [...headerTime(root), ...metricsNowhere(root)];
}

function headerTime(root: Mapping): Finding[] {
  const key = "wharfinger.timeouts.header";
  const given = scalarAt(root, key);
  const ms = typeof given?.value === "number" ? given.value / 1e6 : parseDuration(given?.text ?? "");
  if (!given || ms === undefined || ms <= LONGEST_HEADER) return [];
  return [warning(key, given, `${key} is longer than Node gives the head of a request, and is cut to 5m`)];
}

function metricsNowhere(root: Mapping): Finding[] {
  const key = "http.debug.prometheus.enabled";
  const given = scalarAt(root, key);
  if (given?.value !== true || scalarAt(root, "http.debug.addr")?.text) return [];
  return [warning(key, given, `${key} is ignored, because there is no http.debug.addr for the metrics to be read at`)];
}

function scalarAt(root: Mapping, key: string): Scalar | undefined {
  const tree = find(root, key.split("."));
  return tree instanceof Scalar ? tree : undefined;
}

function warning(about: string, { where }: Scalar, sentence: string): Finding {
  return { about, where, sentence, fatal: false };
}
