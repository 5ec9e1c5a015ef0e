import type { DigestAlgorithm } from "../oci/digest.ts";
import { createResumableHash, resumeHash } from "./hash-state.ts";
import { type Hashing, type HashOrigin, toResting } from "./hashing.ts";
import type { RunningHash } from "./running-hash.ts";

/** In the thread of the caller: the one there is, where there is one processor. */
export class LocalHashing implements Hashing {
  start(algorithm: DigestAlgorithm, from?: HashOrigin): RunningHash {
    const starting = from ? resumeHash(algorithm, from.state) : createResumableHash(algorithm);
    starting.catch(() => undefined); // who updates it finds out
    return {
      algorithm,
      update: async (chunk) => (await starting)?.update(chunk),
      rest: async () => {
        const hash = await starting;
        return hash && toResting(this, algorithm, { hex: hash.digest(), state: hash.save() }, from?.fromStorage);
      },
      [Symbol.dispose]: () => undefined,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
