import { createHash, type Hash } from "node:crypto";
import type { DigestAlgorithm } from "../oci/digest.ts";

/** A hash that can be asked for its value and go on. */
export interface RunningHash {
  readonly algorithm: DigestAlgorithm;
  /** It began with a state that a peer left, which is only as good as its word. */
  readonly fromPeer: boolean;
  update(chunk: Uint8Array): void;
  /** Of the bytes so far. */
  hex(): string;
}

/** OpenSSL's: the fastest, but it cannot be taken up in another process. */
export function startHash(algorithm: DigestAlgorithm): RunningHash {
  const hash: Hash = createHash(algorithm);
  return {
    algorithm,
    fromPeer: false,
    update: (chunk) => {
      hash.update(chunk);
    },
    hex: () => hash.copy().digest("hex"),
  };
}
