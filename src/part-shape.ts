/** What parts of the operator's own must have, checked when they come. */

/** Of each member: its key, its name in messages, and what it must be. */
export type Shape = readonly (readonly [key: PropertyKey, name: string, is: (member: unknown) => boolean])[];

/** @returns the names of what `value` does not have as it should */
export function lackingOf(value: unknown, shape: Shape): readonly string[] {
  const part = typeof value === "object" && value !== null ? value : {};
  return shape.filter(([key, , is]) => !is(Reflect.get(part, key))).map(([, name]) => name);
}

export function methods(...names: readonly string[]): Shape {
  return names.map((name) => [name, name, isFunction]);
}

const DISPOSAL: Shape = [[Symbol.asyncDispose, "[Symbol.asyncDispose]", isFunction]];

export const DRIVER: Shape = [
  ["name", "name", isText],
  ["location", "location", isText],
  ...methods("getContent", "putContent", "reader", "writer", "stat", "list", "move", "delete"),
  ...DISPOSAL,
];

export const ACCESS_CONTROLLER: Shape = [["name", "name", isText], ...methods("authorize"), ...DISPOSAL];

export const REGISTRY: Shape = [["kinds", "kinds", isObject], ...methods("repository", "repositories"), ...DISPOSAL];

const SERVICES = ["blobs", "uploads", "manifests", "tags", "referrers", "signatures"] as const;

export const REPOSITORY: Shape = [
  ["name", "name", isText],
  ...SERVICES.map((service) => [service, service, isObject] as const),
];

function isFunction(member: unknown): boolean {
  return typeof member === "function";
}

function isText(member: unknown): boolean {
  return typeof member === "string" && member !== "";
}

function isObject(member: unknown): boolean {
  return typeof member === "object" && member !== null;
}
