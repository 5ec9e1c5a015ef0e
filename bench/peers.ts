import type { RegistryKind } from "../test/support/registry-process.ts";

export const KINDS = ["wharfinger", "docker-registry"] as const;

/** One after the other, so that neither takes the other's time. */
export async function byFigure<T>(
  measure: (kind: RegistryKind) => Promise<T>,
): Promise<Readonly<Record<RegistryKind, T>>> {
  const [ours, theirs] = [await measure("wharfinger"), await measure("docker-registry")];
  return { wharfinger: ours, "docker-registry": theirs };
}
