import { Unauthorized } from "../oci/errors.ts";
import { type Access, toScopes } from "./access.ts";
import type { AccessController, AccessRequest, Grant } from "./access-controller.ts";
import { quoted } from "./challenge.ts";

export interface SillyOptions {
  readonly realm: string;
  readonly service: string;
}

const GRANT: Grant = { user: "silly", mayPull: () => true };

/**
 * Lets everybody in who sends an `Authorization`, whatever it says. For tests of clients.
 * @see auth, section 4
 */
export class SillyController implements AccessController {
  readonly name = "silly";
  readonly #challenge: string;

  constructor({ realm, service }: SillyOptions) {
    this.#challenge = `Bearer realm=${quoted(realm)},service=${quoted(service)}`;
  }

  authorize({ headers }: AccessRequest, needed: readonly Access[]): Grant {
    if (headers.authorization) return GRANT;
    const scopes = needed.map((access) => toScopes([access])).join(" ");
    throw new Unauthorized(
      needed.length === 0 ? this.#challenge : `${this.#challenge},scope=${quoted(scopes)}`,
      needed,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
