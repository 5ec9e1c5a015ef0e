/** Which rights a request needs, and whether whoever sends it has them. */
import type { Access, AccessAction } from "../auth/access.ts";
import type { AccessController, AccessRequest, Grant } from "../auth/access-controller.ts";
import { Unauthorized } from "../oci/errors.ts";
import type { Action } from "./action.ts";
import type { Target } from "./target.ts";

/**
 * @param ask what the controller is told of the request
 * @returns undefined where nobody is asked who they are
 * @throws {Unauthorized}
 */
export function authorize(
  controller: AccessController,
  ask: AccessRequest,
  action: Action,
  target: Target,
): Grant | undefined | Promise<Grant> {
  if (action === "anything") return undefined;
  const needed = neededFor(action, target);
  return action === "cancel" ? eitherWay(controller, ask, needed, target) : controller.authorize(ask, needed);
}

const ACTIONS: Readonly<Record<Exclude<Action, "anything" | "authenticate" | "catalog">, readonly AccessAction[]>> = {
  pull: ["pull"],
  push: ["pull", "push"],
  delete: ["delete"],
  cancel: ["pull", "push"],
};

/** @see auth, section 1 */
function neededFor(action: Exclude<Action, "anything">, { name, query }: Target): readonly Access[] {
  if (action === "authenticate") return [];
  if (action === "catalog") return [{ type: "registry", name: "catalog", action: "*" }];
  const needed = ACTIONS[action].map((action): Access => ({ type: "repository", name, action }));
  const from = query.size > 0 && query.get("from");
  return from ? [...needed, { type: "repository", name: from, action: "pull" }] : needed;
}

/** The peers let nobody end an upload who may not delete, and clients ask for no such token. */
async function eitherWay(
  controller: AccessController,
  ask: AccessRequest,
  needed: readonly Access[],
  target: Target,
): Promise<Grant> {
  try {
    return await controller.authorize(ask, needed);
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    try {
      return await controller.authorize(ask, neededFor("delete", target));
    } catch {
      throw error;
    }
  }
}
