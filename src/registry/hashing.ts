import type { DigestAlgorithm } from "../oci/digest.ts";
import type { RestingHash, RunningHash } from "./running-hash.ts";

/** Starts hashes that another process can go on with. Those that run at its disposal are lost. */
export interface Hashing extends AsyncDisposable {
  start(algorithm: DigestAlgorithm, from?: HashOrigin): RunningHash;
}

/** What a hash goes on from. One that is no state of its algorithm is a hash that is lost. */
export interface HashOrigin {
  readonly state: Uint8Array;
  readonly fromStorage: boolean;
}

export function toResting(
  hashing: Hashing,
  algorithm: DigestAlgorithm,
  { hex, state }: { readonly hex: string; readonly state: Uint8Array },
  fromStorage = false,
): RestingHash {
  return { algorithm, hex, state, fromStorage, goOn: () => hashing.start(algorithm, { state, fromStorage }) };
}
