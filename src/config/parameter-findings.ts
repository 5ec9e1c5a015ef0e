import type { DriverConfig } from "./config.ts";
import type { Finding } from "./finding.ts";
import { type Mapping, nearest } from "./tree.ts";

/** What a driver says of one of its parameters. */
export interface ParameterProblem {
  readonly key: string;
  /** What follows the key: `is "5", must be …`. Holds no secret. */
  readonly sentence: string;
  readonly fatal: boolean;
}

/** Asks the driver's own code, without opening anything. */
export type CheckParameters = (driver: DriverConfig) => readonly ParameterProblem[];

export function parameterFindings(root: Mapping, driver: DriverConfig, check: CheckParameters): Finding[] {
  return check(driver).map(({ key, sentence, fatal }) => {
    const path = ["storage", driver.name, key];
    const about = path.join(".");
    return { about: `value of ${about}`, where: nearest(root, path).where, sentence: `${about} ${sentence}`, fatal };
  });
}
