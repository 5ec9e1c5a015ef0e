/**
 * Rights, as tokens and challenges write them.
 *
 * @see auth, sections 1 and 6
 */
export interface Access {
  readonly type: "registry" | "repository";
  /** Of a repository as the client wrote it: access is asked for before the name is checked. */
  readonly name: string;
  readonly action: AccessAction;
}

export type AccessAction = "*" | "delete" | "pull" | "push";

/** The resources with their actions, those of one resource joined, in the order of the first of each. */
export function toScopes(needed: readonly Access[]): string {
  const actions = new Map<string, AccessAction[]>();
  for (const { type, name, action } of needed) {
    const resource = `${type}:${name}`;
    const known = actions.get(resource) ?? [];
    if (!known.includes(action)) known.push(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, list]) => `${resource}:${list.join(",")}`).join(" ");
}
