import { availableParallelism } from "node:os";
import type { Hashing } from "./hashing.ts";
import { LocalHashing } from "./local-hashing.ts";
import { ThreadHashing } from "./thread-hashing.ts";

/** @param processors with a second one the hashing gets a thread of its own */
export function openHashing(complain: (reason: string) => void, processors: number = availableParallelism()): Hashing {
  return processors > 1 ? new ThreadHashing(complain) : new LocalHashing();
}
