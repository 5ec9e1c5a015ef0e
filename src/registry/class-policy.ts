import { decorate } from "../lib/decorate.ts";
import { Denied } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import { classOf } from "../oci/manifest-class.ts";
import type { Repository } from "./registry.ts";

/** @param mayPush whether whoever pushes may push manifests of a class */
export type LimitClasses = (repository: Repository, mayPush: (manifestClass: string) => boolean) => Repository;

/**
 * Refuses manifests of other classes than these, and of classes that whoever pushes may not push here, before anything is
 * written.
 * @param classes `policy.repository.classes`
 * @returns undefined where there is no rule
 * @see auth, section 5, "Resource class"
 */
export function limitClasses(classes: readonly string[]): LimitClasses | undefined {
  if (classes.length === 0) return undefined;
  return (repository, mayPush) => {
    const { manifests } = repository;
    const put: typeof manifests.put = async (manifest, ...others) => {
      checkClass(manifest, classes, mayPush);
      return await manifests.put(manifest, ...others);
    };
    return decorate(repository, { manifests: decorate(manifests, { put }) });
  };
}

/** @throws {Denied} with the peers' words */
function checkClass(manifest: Manifest, classes: readonly string[], mayPush: (manifestClass: string) => boolean): void {
  const found = classOf(manifest);
  if (found === undefined) return;
  if (typeof found === "object") throw denied(`unknown manifest class for ${found.unknown}`);
  if (!classes.includes(found)) throw denied(`registry does not allow ${found} manifest`);
  if (!mayPush(found)) throw denied(`repository not authorized for ${found} manifest`);
}

function denied(message: string): Denied {
  return new Denied(undefined, message);
}
