import type { AccessController } from "./access-controller.ts";

export interface AccessContext {
  /** Takes what the operator should know. Nothing secret belongs there. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * What a module that a configuration names under `auth` exports as `openAccessController`.
 * @param options what stands under the name, as YAML has it; nothing in it is checked
 */
export type OpenAccessController = (
  options: Readonly<Record<string, unknown>>,
  context: AccessContext,
) => AccessController | Promise<AccessController>;
