import { Failure } from "./failure.ts";

/** @throws {Failure} always: operators have it in their timers, and must see that nothing was collected */
export function collectGarbage(): never {
  throw new Failure(
    "garbage-collect is not there yet, and nothing was collected; stop the registry and run the old registry's on its " +
      "directory, as README.md says (not with sha512 images: it loses their layers)",
  );
}
