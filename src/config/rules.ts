import { ConfigError } from "./config-error.ts";
import { nearestKey } from "./nearest-key.ts";
import { find, isNull, Mapping, Scalar, type Tree } from "./tree.ts";

const SECTIONS_OF_STORAGE: ReadonlySet<string> = new Set(["maintenance", "cache", "delete", "redirect", "tag"]);
const DRIVERS: ReadonlySet<string> = new Set(["filesystem", "inmemory"]);
const DRIVERS_TO_COME: ReadonlySet<string> = new Set(["s3", "s3aws", "azure", "gcs"]);
const DRIVERS_DROPPED: ReadonlySet<string> = new Set(["swift", "oss", "rados"]);
const CONTROLLERS_TO_COME: ReadonlySet<string> = new Set(["silly", "htpasswd", "token"]);

/**
 * Looked at before variables are applied: which version a file has is its own affair.
 * @throws {ConfigError}
 */
export function requireVersion(document: Tree): Mapping {
  const version = find(document, ["version"]);
  const found = version instanceof Scalar ? version.text : "";
  if (document instanceof Mapping && found === "0.1") return document;
  throw new ConfigError((version ?? document).where, `unsupported version: ${JSON.stringify(found)}, must be 0.1`);
}

/** Writes `storage: x`, `storage: {x: }`, and the same of auth, as `{x: {}}`. */
export function spellOutParts(root: Mapping): void {
  for (const name of ["storage", "auth"]) {
    const part = root.entries.get(name);
    if (part instanceof Scalar && !isNull(part)) root.entries.set(name, namedPart(part));
    if (part instanceof Mapping) fillParts(part);
  }
}

/** `storage: inmemory` means the same as `storage: {inmemory: {}}`. */
export function namedPart({ text, where }: Scalar): Mapping {
  return new Mapping(where, [[text, new Mapping(where)]]);
}

function fillParts(part: Mapping): void {
  for (const [name, value] of part.entries) {
    if (isNull(value) && !SECTIONS_OF_STORAGE.has(name)) part.entries.set(name, new Mapping(value.where));
  }
}

/**
 * Exactly one driver, and one that we have.
 * @throws {ConfigError}
 */
export function driverName(root: Mapping): string {
  const storage = find(root, ["storage"]);
  const drivers = partsOf(storage).filter(([name]) => !SECTIONS_OF_STORAGE.has(name));
  const [driver, ...others] = drivers;
  if (!driver) throw new ConfigError((storage ?? root).where, "no storage configuration provided");
  if (others.length > 0) throw tooManyDrivers(drivers);
  const [name, { where }] = driver;
  if (!DRIVERS.has(name)) throw new ConfigError(where, `storage.${name} ${whyNotDriver(name)}`);
  return name;
}

function partsOf(part: Tree | undefined): [string, Tree][] {
  return part instanceof Mapping ? [...part.entries] : [];
}

function tooManyDrivers(drivers: readonly [string, Tree][]): ConfigError {
  const names = drivers.map(([name]) => name);
  const where = drivers.find(([name]) => !isDriver(name))?.[1].where ?? drivers.at(-1)?.[1].where ?? "storage";
  const variable = drivers.find(([, { where }]) => where.startsWith("REGISTRY_"));
  if (variable) {
    const problem = `multiple storage drivers specified in configuration or environment: ${names.join(", ")}`;
    return new ConfigError(variable[1].where, `${problem}; set REGISTRY_STORAGE as well to replace the file's section`);
  }
  return new ConfigError(where, `must provide exactly one storage type. Provided: [${names.join(" ")}]${hint(names)}`);
}

function isDriver(name: string): boolean {
  return DRIVERS.has(name) || DRIVERS_TO_COME.has(name) || DRIVERS_DROPPED.has(name);
}

function hint(names: readonly string[]): string {
  const stranger = names.find((name) => !isDriver(name));
  const near = stranger && nearestKey(stranger, SECTIONS_OF_STORAGE);
  return near ? ` (did you mean ${near} instead of ${stranger}?)` : "";
}

function whyNotDriver(name: string): string {
  const accepted = [...DRIVERS].join(" or ");
  if (DRIVERS_TO_COME.has(name)) return `is a driver that is not supported yet, use ${accepted}`;
  if (DRIVERS_DROPPED.has(name))
    return `is a driver that distribution dropped and Wharfinger does not have, use ${accepted}`;
  return `is no driver, must be ${accepted}`;
}

/**
 * At most one access controller, and one that we have; `none` in any case is none.
 * @throws {ConfigError}
 */
export function requireAuth(root: Mapping): void {
  const [controller, ...others] = partsOf(find(root, ["auth"]));
  if (!controller) return;
  const [name, { where }] = controller;
  if (others.length > 0) {
    const names = [name, ...others.map(([other]) => other)].join(" ");
    throw new ConfigError(where, `auth must provide exactly one type. Provided: [${names}]`);
  }
  if (name.toLowerCase() === "none") root.entries.delete("auth");
  else throw new ConfigError(where, `auth.${name} ${whyNotController(name)}`);
}

function whyNotController(name: string): string {
  if (!CONTROLLERS_TO_COME.has(name)) return "is no access controller, must be none";
  return "is not supported yet, and without it everybody could do everything; take it out if that is meant";
}
