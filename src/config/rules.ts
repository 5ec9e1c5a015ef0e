import { ConfigError } from "./config-error.ts";
import type { Finding } from "./finding.ts";
import { nearestKey } from "./nearest-key.ts";
import { isSpecifier } from "./specifier.ts";
import { find, isNull, Mapping, Scalar, type Tree } from "./tree.ts";

const SECTIONS_OF_STORAGE: ReadonlySet<string> = new Set(["maintenance", "cache", "delete", "redirect", "tag"]);
const DRIVERS: ReadonlySet<string> = new Set(["filesystem", "inmemory", "s3", "s3aws"]);
const DRIVERS_TO_COME: ReadonlySet<string> = new Set(["azure", "gcs"]);
const DRIVERS_DROPPED: ReadonlySet<string> = new Set(["swift", "oss", "rados"]);
const CONTROLLERS: ReadonlySet<string> = new Set(["silly", "htpasswd", "token"]);

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

/** The driver's name, where {@link driverFindings} has nothing against it. */
export function driverName(root: Mapping): string | undefined {
  return driversOf(root)[0]?.[0];
}

/** Exactly one driver, and one that we have or that a module is said to have. */
export function driverFindings(root: Mapping): Finding[] {
  const drivers = driversOf(root);
  if (drivers.length === 0) {
    const { where } = find(root, ["storage"]) ?? root;
    return [{ about: "storage", where, sentence: "no storage configuration provided", fatal: true }];
  }
  const known = drivers.filter(([name]) => drivers.length === 1 || isDriver(name));
  const unusable = known.filter(([name]) => !isUsable(name)).map((part) => refusal("storage", part, whyNotDriver));
  return drivers.length === 1 ? unusable : [tooManyDrivers(drivers), ...unusable];
}

function driversOf(root: Mapping): [string, Tree][] {
  return partsOf(find(root, ["storage"])).filter(([name]) => !SECTIONS_OF_STORAGE.has(name));
}

function partsOf(part: Tree | undefined): [string, Tree][] {
  return part instanceof Mapping ? [...part.entries] : [];
}

function refusal(section: string, [name, { where }]: [string, Tree], whyNot: (name: string) => string): Finding {
  const about = `${section}.${name}`;
  return { about, where, sentence: `${about} ${whyNot(name)}`, fatal: true };
}

function tooManyDrivers(drivers: readonly [string, Tree][]): Finding {
  const names = drivers.map(([name]) => name);
  const where = drivers.find(([name]) => !isDriver(name))?.[1].where ?? drivers.at(-1)?.[1].where ?? "storage";
  const variable = drivers.find(([, { where }]) => where.startsWith("REGISTRY_"));
  const about = "storage";
  if (variable) {
    const problem = `multiple storage drivers specified in configuration or environment: ${names.join(", ")}`;
    const sentence = `${problem}; set REGISTRY_STORAGE as well to replace the file's section`;
    return { about, where: variable[1].where, sentence, fatal: true };
  }
  const sentence = `must provide exactly one storage type. Provided: [${names.join(" ")}]${hint(names)}`;
  return { about, where, sentence, fatal: true };
}

function isDriver(name: string): boolean {
  return isUsable(name) || DRIVERS_TO_COME.has(name) || DRIVERS_DROPPED.has(name);
}

function isUsable(name: string): boolean {
  return DRIVERS.has(name) || isSpecifier(name);
}

function hint(names: readonly string[]): string {
  const meant = names.flatMap((name) => {
    const near = isDriver(name) ? undefined : nearestKey(name, SECTIONS_OF_STORAGE);
    return near ? [`${near} instead of ${name}`] : [];
  });
  return meant.length > 0 ? ` (did you mean ${meant.join(", ")}?)` : "";
}

function whyNotDriver(name: string): string {
  const accepted = [...DRIVERS].join(", ").replace(/, (?=[^,]*$)/, " or ");
  if (DRIVERS_TO_COME.has(name)) return `is a driver that is not supported yet, use ${accepted}`;
  if (DRIVERS_DROPPED.has(name))
    return `is a driver that distribution dropped and Wharfinger does not have, use ${accepted}`;
  return `is no driver, must be ${accepted}`;
}

/** Takes `none` out, in any case, where it stands alone. */
export function leaveOutNone(root: Mapping): void {
  const [controller, ...others] = partsOf(find(root, ["auth"]));
  if (others.length === 0 && controller && isNone(controller[0])) root.entries.delete("auth");
}

/** The access controller of the operator's own, where {@link authFindings} has nothing against it. */
export function ownController(root: Mapping): string | undefined {
  return partsOf(find(root, ["auth"]))
    .map(([name]) => name)
    .find(isSpecifier);
}

/** At most one access controller, and one that we have or that a module is said to have. */
export function authFindings(root: Mapping): Finding[] {
  const controllers = partsOf(find(root, ["auth"]));
  const unusable = controllers.filter(([name]) => !isController(name)).map((part) => refusal("auth", part, () => NONE));
  const [first, ...others] = controllers;
  if (first === undefined || others.length === 0) return unusable;
  const names = controllers.map(([name]) => name).join(" ");
  const sentence = `auth must provide exactly one type. Provided: [${names}]`;
  return [{ about: "auth", where: first[1].where, sentence, fatal: true }, ...unusable];
}

function isNone(name: string): boolean {
  return name.toLowerCase() === "none";
}

function isController(name: string): boolean {
  return isNone(name) || CONTROLLERS.has(name) || isSpecifier(name);
}

const NONE = `is no access controller, must be ${[...CONTROLLERS].join(", ")}, none, or the specifier of a module`;
