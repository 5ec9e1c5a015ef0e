import { measureRead, type Rate } from "../speed/reads.ts";
import type { Image } from "./directory.ts";

/** What every pull asks for first. */
export interface GrowthRead {
  readonly what: string;
  readonly method: "GET" | "HEAD";
  readonly path: (image: Image) => string;
}

export const READS: readonly GrowthRead[] = [
  { what: "GET manifest by tag", method: "GET", path: ({ name, tag }) => `/v2/${name}/manifests/${tag}` },
  { what: "HEAD blob", method: "HEAD", path: ({ name, blob }) => `/v2/${name}/blobs/${blob}` },
];

/** Of all of them. */
export function pathsOf(image: Image): readonly string[] {
  return READS.map(({ path }) => path(image));
}

/** As fast as the server answers. */
export function measureRate(
  url: string,
  { what, method, path }: GrowthRead,
  image: Image,
  loading: { readonly seconds: number; readonly connections: number },
): Promise<Rate> {
  const read = { what, method, target: 0, path: () => path(image), access: "open" } as const;
  return measureRead(url, read, path(image), { ...loading, authorization: undefined });
}
