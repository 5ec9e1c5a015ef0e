/** Notifications as a configuration wants them, over the one queue of the process. */
import { hostname } from "node:os";
import type { Composition } from "./composition.ts";
import { parseAddress } from "./config/address.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { environment } from "./config/process.ts";
import { readProxies } from "./config/proxies.ts";
import { dataFolder } from "./data-folder.ts";
import { toProxyVariables } from "./lib/proxy-variables.ts";
import type { SharedPart } from "./lib/shared-parts.ts";
import type { NotificationQueue } from "./notifications/notification-queue.ts";
import type { Notifications } from "./notifications/notifications.ts";
import type { ManifestKinds } from "./oci/manifest-kinds.ts";

/** Disposal gives the queue back. */
export interface OpenedNotifications extends AsyncDisposable {
  readonly observe: Notifications["observe"] | undefined;
  /** From now on the endpoints of this configuration get events, and no others. */
  begin(): Promise<void>;
}

/** The shared part that is the queue. */
const QUEUE = "notifications";

/**
 * A queue that runs learns of the configuration's endpoints even where they are none.
 * @throws {ConfigError} where the environment names a proxy that cannot be one
 */
export async function openNotifications(
  composition: Composition,
  kinds: ManifestKinds,
): Promise<OpenedNotifications | undefined> {
  const { notifications, http } = composition.config;
  const { endpoints, events } = notifications;
  await using stack = new AsyncDisposableStack();
  const running = stack.use(composition.shared.takeRunning<NotificationQueue>(QUEUE, null));
  if (endpoints.length === 0 && !running) return undefined;
  const { announceEndpoints, hasUsable, openNotifications: open } = await import("./notifications/notifications.ts");
  const log = (level: "info" | "warn" | "error", message: string): void => composition.log[level](message);
  const isUsed = hasUsable(endpoints);
  const queue = isUsed ? stack.use(await takeQueue(composition, log)) : running;
  const options = { kinds, references: events.includereferences, endpoints, address: ownAddress(http), log };
  const opened = queue && open({ ...options, queue: queue.value, drain: http.draintimeout });
  const owned = stack.move();
  return {
    observe: isUsed ? opened?.observe : undefined,
    async begin() {
      opened?.begin();
      await running?.[Symbol.asyncDispose](); // one that is used is held beside this
      owned.use(await composition.shared.take("told", endpoints, async () => announceEndpoints(endpoints, log)));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @throws {ConfigError} */
async function takeQueue(
  { config, shared, instruments }: Composition,
  log: (level: "info" | "warn" | "error", message: string) => void,
): Promise<SharedPart<NotificationQueue>> {
  const { NotificationQueue: Queue } = await import("./notifications/notification-queue.ts");
  const proxies = proxyVariables();
  const limit = config.wharfinger.notifications.queuesize;
  return await shared.take(QUEUE, null, async (stack) => {
    const queue = new Queue({ folder: dataFolder(config), limit, proxies, log });
    stack.use(instruments.tell({ endpoints: () => queue.figures })); // which are the last ones when the queue has ended
    return stack.use(queue);
  });
}

function proxyVariables(): ReturnType<typeof toProxyVariables> {
  try {
    return toProxyVariables(readProxies(environment()));
  } catch (cause) {
    throw cause instanceof TypeError ? new ConfigError("notifications", cause.message, { cause }) : cause;
  }
}

/** As events name this registry. */
function ownAddress({ net, addr }: Config["http"]): string {
  return net === "unix" || addr === "" ? hostname() : `${hostname()}:${parseAddress(addr).port}`;
}
