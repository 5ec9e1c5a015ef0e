/**
 * What is said between the thread that receives bytes and the one that hashes them. The bytes themselves lie in memory
 * that both see, in slots: one side fills a slot and names it, the other one gives it back when it has hashed it.
 */
import type { DigestAlgorithm } from "../oci/digest.ts";

/** Bytes of a slot: what Node reads from a socket at once. */
export const SLOT_SIZE: number = 64 * 1024;

/** 4 MiB for all uploads together. */
export const SLOT_COUNT = 64;

/** In order, each of one hash but the last. */
export type Order =
  | { readonly kind: "start"; readonly hash: number; readonly algorithm: DigestAlgorithm; readonly state?: Uint8Array }
  | { readonly kind: "update"; readonly hash: number; readonly slot: number; readonly length: number }
  | { readonly kind: "rest"; readonly hash: number }
  | { readonly kind: "end" };

/** `rested` without a hash where there is none of that number. */
export type Report =
  | { readonly kind: "free"; readonly slot: number }
  | {
      readonly kind: "rested";
      readonly hash: number;
      readonly saved: { readonly hex: string; readonly state: Uint8Array } | undefined;
    };
