/** Access controllers of the operator's own, as modules export them. */
import type { AccessController } from "./auth/access-controller.ts";
import { CheckedController } from "./auth/checked-controller.ts";
import type { OpenAccessController } from "./auth/open-access-controller.ts";
import { type NamedModule, reasonOf } from "./named-module.ts";
import { ACCESS_CONTROLLER, lackingOf } from "./part-shape.ts";

/** @throws {ConfigError} where the module has no access controller or cannot open it */
export async function openOwnAccess(
  { exports, error }: NamedModule,
  ...how: Parameters<OpenAccessController>
): Promise<AccessController> {
  const open = exports["openAccessController"];
  if (typeof open !== "function") throw error("exports no function openAccessController");
  const controller = await attempt(() => open(...how), error);
  const lacking = lackingOf(controller, ACCESS_CONTROLLER);
  if (lacking.length > 0) throw error(`openAccessController gave no access controller: it lacks ${lacking.join(", ")}`);
  return new CheckedController(controller as AccessController);
}

async function attempt(open: () => unknown, error: NamedModule["error"]): Promise<unknown> {
  try {
    return await open();
  } catch (cause) {
    throw error(`openAccessController failed: ${reasonOf(cause)}`, cause);
  }
}
