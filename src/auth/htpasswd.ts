import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { networkOf } from "../lib/network.ts";
import { Unauthorized } from "../oci/errors.ts";
import type { Access } from "./access.ts";
import type { AccessController, AccessRequest, Grant } from "./access-controller.ts";
import { type BasicCredentials, parseBasic } from "./basic.ts";
import { quoted } from "./challenge.ts";
import { type HtpasswdUsers, PASSWORD_LENGTH } from "./htpasswd-users.ts";
import type { PasswordChecks } from "./password-checks.ts";

export interface HtpasswdOptions {
  readonly realm: string;
  /** The same object as long as the file says the same. @throws {Unavailable} while it says nothing */
  readonly users: () => HtpasswdUsers;
  /** The controller owns it. */
  readonly checks: PasswordChecks;
  /** ms, never going back */
  readonly now?: () => number;
}

type Compare = (credentials: BasicCredentials) => Promise<Grant | undefined>;

/** ms for which a password that matched is not compared again. */
const LIFETIME = 60_000;

/** Users with their passwords, not requests. */
const MOST_KNOWN = 10_000;

/**
 * Users of a file; each may do everything.
 *
 * What matched is known by an HMAC of the whole header with a key of this process: no password stays in memory, and a
 * request with a known one costs some 5 µs instead of 65 ms at a cost of 10. What did not is not remembered.
 * @see auth, section 3
 */
export class HtpasswdController implements AccessController {
  readonly name = "htpasswd";
  readonly #options: HtpasswdOptions;
  readonly #challenge: string;
  readonly #key = randomBytes(32);
  readonly #known: LRUCache<string, Grant>;
  /** Comparisons that run, by the same key: whoever sends the same meanwhile waits for the same. */
  readonly #running = new Map<string, Promise<Grant | undefined>>();
  #users: HtpasswdUsers | undefined;

  constructor(options: HtpasswdOptions) {
    const { realm, now = () => performance.now() } = options;
    this.#options = options;
    this.#challenge = `Basic realm=${quoted(realm)}`;
    this.#known = new LRUCache({ max: MOST_KNOWN, ttl: LIFETIME, ttlResolution: 0, perf: { now } });
  }

  authorize({ headers, address }: AccessRequest, needed: readonly Access[]): Grant | Promise<Grant> {
    const users = this.#current();
    const { authorization } = headers;
    if (!authorization) throw new Unauthorized(this.#challenge, needed);
    const key = createHmac("sha256", this.#key).update(authorization).digest("base64");
    const known = this.#known.get(key);
    if (known) return known;
    const client = address === undefined ? "" : networkOf(address);
    const compare = (credentials: BasicCredentials) => this.#compare(credentials, client, key, users);
    return this.#compared(authorization, key, compare, needed);
  }

  /** Forgets what counted for another content of the file. */
  #current(): HtpasswdUsers {
    const users = this.#options.users();
    if (users !== this.#users) {
      this.#users = users;
      this.#known.clear();
      this.#running.clear();
    }
    return users;
  }

  async #compared(authorization: string, key: string, compare: Compare, needed: readonly Access[]): Promise<Grant> {
    const credentials = parseBasic(authorization);
    const grant = credentials && (await this.#once(key, () => compare(credentials)));
    if (grant) return grant;
    throw new Unauthorized(this.#challenge, needed, credentials ? "authentication failure" : "no Basic credentials");
  }

  #once(key: string, compare: () => Promise<Grant | undefined>): Promise<Grant | undefined> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const begun = compare().finally(() => {
      if (this.#running.get(key) === begun) this.#running.delete(key);
    });
    this.#running.set(key, begun);
    return begun;
  }

  /** As long for somebody whom the file does not know. */
  async #compare(
    { user, password }: BasicCredentials,
    client: string,
    key: string,
    users: HtpasswdUsers,
  ): Promise<Grant | undefined> {
    const known = password.length > 0 ? users.hashes.get(user) : undefined;
    const compared = password.length > 0 ? password.subarray(0, PASSWORD_LENGTH) : Buffer.of(0);
    const matches = await this.#options.checks.matches({ password: compared, hash: known ?? users.decoy, client });
    if (!matches || known === undefined) return undefined;
    const grant: Grant = { user, mayPull: () => true };
    if (users === this.#users) this.#known.set(key, grant);
    return grant;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.checks[Symbol.asyncDispose]();
  }
}
