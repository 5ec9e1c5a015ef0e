import { createHash, type Hash } from "node:crypto";
import type { DigestAlgorithm } from "../oci/digest.ts";

/** A hash of bytes that come. Disposal forgets it; what {@link rest} gave stays. */
export interface RunningHash extends Disposable {
  readonly algorithm: DigestAlgorithm;
  /** Resolves when it has no more use for `chunk` and takes another one. */
  update(chunk: Uint8Array): void | Promise<void>;
  /** What it is after the bytes so far; undefined where it was lost, and only reading the bytes again gives it. */
  rest(): Promise<RestingHash | undefined>;
}

/** A hash between two requests. */
export interface RestingHash {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
  /** It began with a state from the storage, which is only as good as its word. */
  readonly fromStorage: boolean;
  /** In Go's form, where it can be carried to another process. */
  readonly state?: Uint8Array | undefined;
  /** Where more than the value is known. */
  goOn?(): RunningHash;
}

/** OpenSSL's, which cannot be taken up in another process. */
export interface LocalHash extends RunningHash {
  update(chunk: Uint8Array): void;
  hex(): string;
}

/** The fastest. */
export function startHash(algorithm: DigestAlgorithm): LocalHash {
  return toLocalHash(algorithm, createHash(algorithm));
}

function toLocalHash(algorithm: DigestAlgorithm, hash: Hash): LocalHash {
  const hex = (): string => hash.copy().digest("hex");
  return {
    algorithm,
    hex,
    update: (chunk) => {
      hash.update(chunk);
    },
    rest: async () => ({ algorithm, hex: hex(), fromStorage: false, goOn: () => toLocalHash(algorithm, hash.copy()) }),
    [Symbol.dispose]: () => undefined,
  };
}
