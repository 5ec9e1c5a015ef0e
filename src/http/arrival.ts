import type { IncomingMessage } from "node:http";
import type { Grant } from "../auth/access-controller.ts";
import type { RegistryError } from "../oci/errors.ts";
import type { Action } from "./action.ts";
import { believeOnly, type TrustedProxies } from "./forwarding.ts";
import { parseTarget, type Target } from "./target.ts";

/** What is known of a request beside what the framework knows. */
export interface Arrival {
  readonly target: Target;
  readonly contentType: string | undefined;
  /** When it came. ms, of `performance.now()` */
  readonly time: number;
  /** What it needed the right to do; not set for what was answered without a handler. */
  action?: Action;
  /** What it was refused or failed with. */
  errors?: readonly RegistryError[];
  /** Whose request it is, from when access control has let it in. */
  grant?: Grant | undefined;
  /** Whether access control did not let it in, or could not tell. */
  refused?: boolean;
  /** Made when somebody asks for it. */
  id?: string;
}

const arrivals = new WeakMap<IncomingMessage, Arrival>();

/** Reads the URL, and takes the Content-Type out of the framework's sight. To be called once. */
export function remember(raw: IncomingMessage, prefix: string, trusted?: TrustedProxies): Arrival {
  if (trusted) believeOnly(raw, trusted);
  const contentType = raw.headers["content-type"];
  delete raw.headers["content-type"];
  const arrival: Arrival = { target: parseTarget(raw.url ?? "/", prefix), contentType, time: performance.now() };
  arrivals.set(raw, arrival);
  return arrival;
}

export function arrivalOf(raw: IncomingMessage): Arrival {
  const arrival = arrivals.get(raw);
  if (!arrival) throw new Error("a request was not read before it was routed");
  return arrival;
}
