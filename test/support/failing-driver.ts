import type { StorageDriver } from "../../src/storage/driver.ts";

export type DriverCall = "getContent" | "putContent" | "reader" | "writer" | "stat" | "list" | "move" | "delete";

/** A listing that says more is a listing, and a stamp comes of a stat. */
export function callOf(key: PropertyKey): string {
  if (key === "stampOf") return "stat";
  return key === "listDetailed" ? "list" : String(key);
}

export interface FailingDriver {
  readonly driver: StorageDriver;
  /** From now on `call` throws what `fault` gives for a path, if anything. */
  fail(call: DriverCall, fault: (path: string) => Error | undefined): void;
  /** Works again. */
  mend(): void;
}

/** A storage that fails where a test says so. */
export function failingDriver(inner: StorageDriver): FailingDriver {
  const faults = new Map<string, (path: string) => Error | undefined>();
  const driver = new Proxy(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      return (...parameters: readonly unknown[]): unknown => {
        const error = faults.get(callOf(key))?.(String(parameters[0]));
        if (error && key === "stampOf") return undefined;
        return error ? Promise.reject(error) : Reflect.apply(member, target, [...parameters]);
      };
    },
  });
  return { driver, fail: (call, fault) => faults.set(call, fault), mend: () => faults.clear() };
}
