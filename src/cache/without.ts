import type { DescriptorCache } from "./descriptor-cache.ts";

/** Remembers nothing, so that the storage is always asked. */
export const NO_CACHE: DescriptorCache = {
  blobs: { get: async () => undefined, set: async () => {}, clear: async () => {} },
  revisions: { has: async () => false, set: async () => {}, clear: async () => {} },
  [Symbol.asyncDispose]: async () => {},
};
