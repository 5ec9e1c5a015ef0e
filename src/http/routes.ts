/** Every route with what it needs the right to do. A route without an action does not exist. */

import type { Action } from "./action.ts";
import { getBase, getRoot } from "./base.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import { getCatalog } from "./catalog.ts";
import type { Handler } from "./edge.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { getReferrers } from "./referrers.ts";
import { getTags } from "./tags.ts";
import type { TargetKind } from "./target.ts";
import { deleteUpload, getUpload, noUpload, patchUpload, postUpload, postUploads, putUpload } from "./uploads.ts";

export type Method = "DELETE" | "GET" | "HEAD" | "PATCH" | "POST" | "PUT";

export interface Route {
  readonly action: Action;
  readonly handle: Handler;
}

export type Routes = Readonly<Record<Exclude<TargetKind, "unknown">, Readonly<Partial<Record<Method, Route>>>>>;

/** @see http-api, section 2; auth, section 1 */
export const ROUTES: Routes = {
  root: everyMethod({ action: "anything", handle: getRoot }),
  base: everyMethod({ action: "authenticate", handle: getBase }),
  catalog: { GET: { action: "catalog", handle: getCatalog } },
  tags: { GET: { action: "pull", handle: getTags } },
  manifest: {
    GET: { action: "pull", handle: getManifest },
    HEAD: { action: "pull", handle: getManifest },
    PUT: { action: "push", handle: putManifest },
    DELETE: { action: "delete", handle: deleteManifest },
  },
  blob: {
    GET: { action: "pull", handle: getBlob },
    HEAD: { action: "pull", handle: getBlob },
    DELETE: { action: "delete", handle: deleteBlob },
  },
  uploads: {
    POST: { action: "push", handle: postUploads },
    GET: { action: "pull", handle: noUpload },
    HEAD: { action: "pull", handle: noUpload },
    PATCH: { action: "push", handle: noUpload },
    PUT: { action: "push", handle: noUpload },
    DELETE: { action: "cancel", handle: noUpload },
  },
  upload: {
    GET: { action: "pull", handle: getUpload },
    HEAD: { action: "pull", handle: getUpload },
    POST: { action: "push", handle: postUpload },
    PATCH: { action: "push", handle: patchUpload },
    PUT: { action: "push", handle: putUpload },
    DELETE: { action: "cancel", handle: deleteUpload },
  },
  referrers: {
    GET: { action: "pull", handle: getReferrers },
    HEAD: { action: "pull", handle: getReferrers },
  },
};

const READ_ONLY_KINDS: ReadonlySet<string> = new Set(["root", "base"]);

/** The routes that are left in maintenance: nothing that could change a byte. */
export function withoutWrites(routes: Routes): Routes {
  const entries = Object.entries(routes).map(([kind, { GET, HEAD, ...writes }]) => [
    kind,
    { ...(GET && { GET }), ...(HEAD && { HEAD }), ...(READ_ONLY_KINDS.has(kind) && writes) },
  ]);
  return Object.fromEntries(entries) as Routes;
}

function everyMethod(route: Route): Readonly<Record<Method, Route>> {
  return { DELETE: route, GET: route, HEAD: route, PATCH: route, POST: route, PUT: route };
}

/** What the compiler sees too, unless somebody tells it not to look. */
export function checkActions(routes: Routes): void {
  for (const [kind, methods] of Object.entries(routes)) {
    for (const [method, { action }] of Object.entries<Partial<Route>>(methods)) {
      if (!action) throw new Error(`the route ${method} ${kind} names no action, so nobody could be kept from it`);
    }
  }
}
