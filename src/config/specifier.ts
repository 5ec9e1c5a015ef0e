/**
 * Whether a key of `storage` names the module of a driver of the operator's own, as `import` would name it. The built-in
 * drivers and the sections beside them have names without a slash.
 */
export function isSpecifier(key: string): boolean {
  return key.includes("/") || key.startsWith("file:");
}
