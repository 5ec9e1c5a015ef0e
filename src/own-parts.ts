/** Storage drivers and kinds of manifests of the operator's own, as modules export them. */
import { importNamed, type NamedModule, reasonOf } from "./named-module.ts";
import type { ManifestKind } from "./oci/manifest-kind.ts";
import { isMediaType } from "./oci/media-types.ts";
import { DRIVER, lackingOf, methods, type Shape } from "./part-shape.ts";
import type { StorageDriver } from "./storage/driver.ts";
import type { OpenDriver } from "./storage/open-driver.ts";

/** @throws {ConfigError} where the module has no driver or cannot open it */
export async function openOwnDriver(module: NamedModule, ...how: Parameters<OpenDriver>): Promise<StorageDriver> {
  const { exports, error } = module;
  const open = exports["openDriver"];
  if (typeof open !== "function") throw error("exports no function openDriver");
  const driver = await attempt(() => open(...how), error);
  const lacking = lackingOf(driver, DRIVER);
  if (lacking.length > 0) throw error(`openDriver gave no storage driver: it lacks ${lacking.join(", ")}`);
  return driver as StorageDriver;
}

async function attempt(open: () => unknown, error: NamedModule["error"]): Promise<unknown> {
  try {
    return await open();
  } catch (cause) {
    throw error(`openDriver failed: ${reasonOf(cause)}`, cause);
  }
}

/**
 * @param known kinds that are there already
 * @returns those of the modules alone
 * @throws {ConfigError} where a module cannot be used, or has a media type that is taken
 */
export async function loadOwnKinds(
  specifiers: readonly string[],
  folder: string,
  known: readonly ManifestKind[],
): Promise<readonly ManifestKind[]> {
  const own: ManifestKind[] = [];
  for (const specifier of specifiers) own.push(toKind(await importNamed(specifier, folder), [...known, ...own]));
  return own;
}

function toKind({ exports, error }: NamedModule, others: readonly ManifestKind[]): ManifestKind {
  const lacking = lackingOf(exports["manifestKind"], KIND);
  if (lacking.length > 0) throw error(`exports no manifestKind: it lacks ${lacking.join(", ")}`);
  const kind = exports["manifestKind"] as ManifestKind;
  const taken = others.flatMap(({ mediaTypes }) => mediaTypes).find((type) => kind.mediaTypes.includes(type));
  if (taken !== undefined) throw error(`has the media type ${taken}, which another kind of manifests has already`);
  return kind;
}

const KIND: Shape = [
  ["mediaTypes", "mediaTypes (a list of media types in lower case)", isMediaTypes],
  ...methods("parse"),
  ["signing", "a whole signing (open, verify, print)", (member) => member === undefined || isSigning(member)],
];

function isMediaTypes(member: unknown): boolean {
  const isType = (type: unknown): boolean => typeof type === "string" && isMediaType(type);
  return Array.isArray(member) && member.length > 0 && member.every(isType);
}

function isSigning(member: unknown): boolean {
  return lackingOf(member, methods("open", "verify", "print")).length === 0;
}
