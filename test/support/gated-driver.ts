import type { StorageDriver } from "../../src/storage/driver.ts";
import { callOf, type DriverCall } from "./failing-driver.ts";

export interface GatedDriver {
  readonly driver: StorageDriver;
  /** The next such call of `path` waits before it is made, or after. */
  hold(call: DriverCall, path: string, when?: "before" | "after"): Gate;
}

export interface Gate {
  /** Resolves when the call waits. */
  readonly reached: Promise<void>;
  release(): void;
}

/** A storage whose calls wait where a test wants to do something meanwhile. */
export function gatedDriver(inner: StorageDriver): GatedDriver {
  const gates = new Map<string, (make: () => unknown) => Promise<unknown>>();
  const driver = new Proxy(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function" || key === "stampOf") return member; // which cannot wait
      return (...parameters: readonly unknown[]): unknown => {
        const make = (): unknown => Reflect.apply(member, target, [...parameters]);
        const name = `${callOf(key)} ${String(parameters[0])}`;
        const gate = gates.get(name);
        gates.delete(name);
        return gate ? gate(make) : make();
      };
    },
  });
  return {
    driver,
    hold(call, path, when = "before") {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      gates.set(`${call} ${path}`, async (make) => {
        const early = when === "after" ? await make() : undefined;
        reached.resolve();
        await released.promise;
        return when === "after" ? early : await make();
      });
      return { reached: reached.promise, release: () => released.resolve() };
    },
  };
}
