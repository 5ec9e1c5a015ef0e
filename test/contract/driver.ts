/** What every storage driver does, whatever it stores in. Each runs it in a few lines of its own test. */
import { describe } from "node:test";
import { checkConcurrency } from "./driver-concurrency.ts";
import { checkWith, type DriverTraits, type OpenDriver } from "./driver-harness.ts";
import { checkModel } from "./driver-model.ts";
import { checkObjects } from "./driver-objects.ts";
import { checkStreams } from "./driver-streams.ts";

const ALL: DriverTraits = { directories: true, conflicts: true, snapshots: true };

/** @param traits what the driver cannot do, as `false` */
export function driverContract(name: string, open: OpenDriver, traits: Partial<DriverTraits> = {}): void {
  describe(`the storage driver ${name}`, () => {
    const check = checkWith(open);
    const all = { ...ALL, ...traits };
    checkObjects(check, all);
    checkStreams(check, all);
    checkConcurrency(check, all);
    checkModel(check);
  });
}
