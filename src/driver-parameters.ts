import type { CheckParameters } from "./config/parameter-findings.ts";
import { s3Ignored, s3Problems } from "./storage/s3/parameters.ts";

/** What the start would have against the values under `storage`, by the drivers' own words. */
export const checkParameters: CheckParameters = ({ name, parameters }) => {
  if (name !== "s3" && name !== "s3aws") return [];
  return [
    ...s3Problems(parameters).map((problem) => ({ ...problem, fatal: true })),
    ...s3Ignored(parameters).map((problem) => ({ ...problem, fatal: false })),
  ];
};
