import type { Config } from "./config/config.ts";
import type { Instruments } from "./instruments.ts";
import type { SharedParts } from "./lib/shared-parts.ts";
import type { Log } from "./telemetry/log.ts";
import type { Peers } from "./workers/peers.ts";

/** What the parts of a registry are made of. All but the configuration lasts as long as the process. */
export interface Composition {
  readonly config: Config;
  readonly log: Log;
  readonly instruments: Instruments;
  /** Parts that registries of several configurations may hold in common. */
  readonly shared: SharedParts;
  /** From where modules that the configuration names are looked up. */
  readonly folder: string;
  /** Not set where this process serves alone. */
  readonly peers?: Peers | undefined;
  /** Whether the process begins with this configuration; false where another one counts already. */
  readonly isStart: boolean;
}

export type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

export function warnIn({ log }: Composition): Warn {
  return (message, fields) => log.warn(fields, message);
}
