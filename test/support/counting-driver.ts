import type { StorageDriver } from "../../src/storage/driver.ts";
import { callOf, type DriverCall } from "./failing-driver.ts";

export interface CountingDriver {
  readonly driver: StorageDriver;
  /** Each call since the last {@link forget}, as `getContent /docker/…`. */
  readonly calls: readonly string[];
  /** Calls of one kind, of paths that match. */
  count(call: DriverCall, path: RegExp): number;
  forget(): void;
}

/** A storage that tells what it was asked for. */
export function countingDriver(inner: StorageDriver): CountingDriver {
  const calls: string[] = [];
  const driver = new Proxy(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      return (...parameters: readonly unknown[]): unknown => {
        if (key !== "stampOf") calls.push(`${callOf(key)} ${String(parameters[0])}`);
        return Reflect.apply(member, target, [...parameters]);
      };
    },
  });
  return {
    driver,
    calls,
    count: (call, path) => calls.filter((one) => one.startsWith(`${call} `) && path.test(one)).length,
    forget: () => calls.splice(0),
  };
}
