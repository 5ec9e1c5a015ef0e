import { isJsonObject, type JsonObject } from "../../oci/json-fields.ts";
import { TokenInvalid } from "./token-invalid.ts";

/** What a token says once its signature holds. */
export interface Claims {
  /** "" where it names nobody. */
  readonly user: string;
  /** Actions by `type:name`. */
  readonly access: ReadonlyMap<string, ReadonlySet<string>>;
  /** Classes of manifests by `type:name`. */
  readonly classes: ReadonlyMap<string, ReadonlySet<string>>;
  /** ms since 1970: from when to when it counts, with what clocks may differ. */
  readonly from: number;
  readonly until: number;
}

export interface ClaimRules {
  readonly issuer: string;
  readonly service: string;
}

/** ms by which the clock of the token server may differ from ours. */
const LEEWAY = 60_000;

/**
 * @param now ms since 1970
 * @throws {TokenInvalid}
 * @see auth, section 5, "Token format"
 */
export function parseClaims(payload: Uint8Array, { issuer, service }: ClaimRules, now: number): Claims {
  const claims = parseObject(payload);
  const { iss, aud, exp, nbf = 0, sub = "" } = claims;
  if (iss !== issuer) throw new TokenInvalid("the token is of another issuer");
  if (!(Array.isArray(aud) ? aud.includes(service) : aud === service)) {
    throw new TokenInvalid("the token is for another service");
  }
  if (typeof sub !== "string") throw new TokenInvalid("sub of the token must be text");
  const [from, until] = [time(nbf, "nbf") - LEEWAY, time(exp, "exp") + LEEWAY];
  if (now > until) throw new TokenInvalid("the token has expired");
  if (now < from) throw new TokenInvalid("the token is not valid yet");
  return { user: sub, ...toAccess(claims["access"]), from, until };
}

function parseObject(payload: Uint8Array): JsonObject {
  try {
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    if (isJsonObject(claims)) return claims;
  } catch {}
  throw new TokenInvalid("the claims of the token must be a JSON object");
}

/** ms from s. */
function time(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TokenInvalid(`${name} of the token must be a time`);
  return value * 1000;
}

function toAccess(list: unknown = []): Pick<Claims, "access" | "classes"> {
  const [access, classes] = [new Map<string, Set<string>>(), new Map<string, Set<string>>()];
  if (list !== null && !Array.isArray(list)) throw new TokenInvalid("access of the token must be a list");
  for (const entry of list ?? []) {
    const { resource, actions, manifestClass } = parseEntry(entry);
    add(access, resource, actions);
    add(classes, resource, [manifestClass]);
  }
  return { access, classes };
}

function add(sets: Map<string, Set<string>>, resource: string, values: readonly string[]): void {
  const known = sets.get(resource) ?? new Set();
  for (const value of values) known.add(value);
  sets.set(resource, known);
}

interface Entry {
  readonly resource: string;
  readonly actions: readonly string[];
  readonly manifestClass: string;
}

function parseEntry(entry: unknown): Entry {
  if (isJsonObject(entry)) {
    const { type, name, actions, class: given } = entry;
    if (typeof type === "string" && typeof name === "string" && isTexts(actions) && isText(given)) {
      return { resource: `${type}:${name}`, actions: actions ?? [], manifestClass: given || IMAGE };
    }
  }
  throw new TokenInvalid("access of the token must have entries of type, name and actions");
}

/** What an entry is about that names no class. */
const IMAGE = "image";

function isText(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}

function isTexts(value: unknown): value is readonly string[] | null | undefined {
  return (
    value === undefined || value === null || (Array.isArray(value) && value.every((one) => typeof one === "string"))
  );
}

/** Whether the token grants an action on one resource; `*` grants any. */
export function allows({ access }: Claims, type: string, name: string, action: string): boolean {
  const actions = access.get(`${type}:${name}`);
  return actions !== undefined && (actions.has(action) || actions.has("*"));
}

/** Whether the token lets somebody push manifests of a class; one that says nothing of the resource forbids none. */
export function allowsClass({ classes }: Claims, type: string, name: string, manifestClass: string): boolean {
  return classes.get(`${type}:${name}`)?.has(manifestClass) ?? true;
}
