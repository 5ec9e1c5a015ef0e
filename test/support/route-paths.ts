import type { ROUTES } from "../../src/http/routes.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const ID = "11111111-2222-4333-8444-555555555555";

/** A path of each kind that routes have. */
export const PATHS: Readonly<Record<keyof typeof ROUTES, string>> = {
  root: "/",
  base: "/v2/",
  catalog: "/v2/_catalog",
  tags: "/v2/a/b/tags/list",
  manifest: "/v2/a/b/manifests/latest",
  blob: `/v2/a/b/blobs/${DIGEST}`,
  uploads: "/v2/a/b/blobs/uploads/",
  upload: `/v2/a/b/blobs/uploads/${ID}`,
  referrers: `/v2/a/b/referrers/${DIGEST}`,
};
