import { LRUCache } from "lru-cache";
import { Unauthorized } from "../../oci/errors.ts";
import { type Access, toScopes } from "../access.ts";
import type { AccessController, AccessRequest, Grant } from "../access-controller.ts";
import { quoted } from "../challenge.ts";
import { allows, allowsClass, type Claims } from "./claims.ts";
import type { KeySources } from "./key-sources.ts";
import { KeyUnknown, TokenInvalid } from "./token-invalid.ts";
import type { TrustedKeys } from "./trusted-keys.ts";
import { type TokenRules, verifyToken } from "./verify-token.ts";

export interface TokenOptions extends TokenRules {
  /** Where clients get tokens. */
  readonly realm: string;
  /** The same, where it depends on the request. */
  readonly realmFor?: ((request: AccessRequest) => string | undefined) | undefined;
  /** The controller owns them. */
  readonly keys: KeySources;
  /** ms since 1970 */
  readonly now?: (() => number) | undefined;
}

interface Verified {
  readonly claims: Claims;
  readonly grant: Grant;
}

/** Characters of all tokens that are known as verified, with what each costs beside. */
const KNOWN_SIZE = 16 * 1024 * 1024;

/**
 * Tokens that a token server signed. One that was verified is known until it expires or a key changes, so it costs a lookup
 * when it comes again; by the header as it came, because its hash took 4 % of "HEAD blob, bearer token" (`npm run bench`).
 * @see auth, section 5
 */
export class TokenController implements AccessController {
  readonly name = "token";
  readonly #options: TokenOptions;
  readonly #now: () => number;
  readonly #known = new LRUCache<string, Verified>({ maxSize: KNOWN_SIZE });
  #keys: TrustedKeys | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  authorize(request: AccessRequest, needed: readonly Access[]): Grant | Promise<Grant> {
    const keys = this.#current();
    const { authorization = "" } = request.headers;
    const known = this.#known.get(authorization);
    if (known && this.#counts(known)) return this.#granted(known, request, needed);
    const token = tokenOf(authorization);
    if (token === undefined) throw this.#refusal(request, needed, "authorization token required");
    return this.#verified(token, authorization, keys, request, needed);
  }

  /** Forgets what other keys have signed. */
  #current(): TrustedKeys {
    const keys = this.#options.keys.current();
    if (keys !== this.#keys) {
      this.#keys = keys;
      this.#known.clear();
    }
    return keys;
  }

  #counts({ claims: { from, until } }: Verified): boolean {
    const now = this.#now();
    return from <= now && now <= until;
  }

  #granted({ claims, grant }: Verified, request: AccessRequest, needed: readonly Access[]): Grant {
    if (needed.every(({ type, name, action }) => allows(claims, type, name, action))) return grant;
    throw this.#refusal(request, needed, "insufficient scope", "insufficient_scope");
  }

  async #verified(
    token: string,
    authorization: string,
    keys: TrustedKeys,
    request: AccessRequest,
    needed: readonly Access[],
  ): Promise<Grant> {
    try {
      const claims = await this.#verify(token, keys);
      const mayPull = (name: string): boolean => allows(claims, "repository", name, "pull");
      const mayPushClass = (name: string, manifestClass: string): boolean =>
        allowsClass(claims, "repository", name, manifestClass);
      const verified: Verified = { claims, grant: { user: claims.user, mayPull, mayPushClass } };
      if (this.#keys === keys) this.#known.set(authorization, verified, { size: authorization.length + 1000 });
      return this.#granted(verified, request, needed);
    } catch (error) {
      if (!(error instanceof TokenInvalid)) throw error;
      throw this.#refusal(request, needed, error.message, "invalid_token");
    }
  }

  async #verify(token: string, keys: TrustedKeys): Promise<Claims> {
    try {
      return await verifyToken(token, keys, this.#options, this.#now());
    } catch (error) {
      if (!(error instanceof KeyUnknown)) throw error;
      const later = await this.#options.keys.refreshed();
      if (later === keys) throw error;
      return await verifyToken(token, later, this.#options, this.#now());
    }
  }

  #refusal(request: AccessRequest, needed: readonly Access[], reason: string, error?: string): Unauthorized {
    const { realm, realmFor, service } = this.#options;
    const parts = [
      `Bearer realm=${quoted(realmFor?.(request) ?? realm)}`,
      `service=${quoted(service)}`,
      ...(needed.length > 0 ? [`scope=${quoted(toScopes(needed))}`] : []),
      ...(error ? [`error=${quoted(error)}`] : []),
    ];
    return new Unauthorized(parts.join(","), needed, reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.keys[Symbol.asyncDispose]();
  }
}

/** @returns undefined where none was sent, also for another scheme */
function tokenOf(authorization: string): string | undefined {
  const [, token] = /^bearer ([^ ]*)$/i.exec(authorization) ?? [];
  return token;
}
