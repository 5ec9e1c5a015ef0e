/**
 * An access controller of one's own: everybody reads, each team writes below its own name, with a key that its pipelines
 * send as a password. team-access.yml names it for `wharfinger serve`, own-server.ts shows where it could be passed in.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { type AccessController, type Grant, type OpenAccessController, Unauthorized } from "wharfinger";

const ANYBODY: Grant = { user: "", mayPull: () => true };

export const openAccessController: OpenAccessController = ({ realm = "registry", teams }) => {
  const keys = new Map(Object.entries(isMap(teams) ? teams : {}).map(([team, key]) => [team, digestOf(String(key))]));
  if (keys.size === 0) throw new TypeError("teams must be a map from the names of teams to their keys");
  return new TeamAccess(`Basic realm=${JSON.stringify(realm)}`, keys);
};

class TeamAccess implements AccessController {
  readonly name = "team-access";
  readonly #challenge: string;
  readonly #keys: ReadonlyMap<string, Buffer>;

  constructor(challenge: string, keys: ReadonlyMap<string, Buffer>) {
    this.#challenge = challenge;
    this.#keys = keys;
  }

  authorize(...[{ headers }, needed]: Parameters<AccessController["authorize"]>): Grant {
    const team = this.#teamOf(headers.authorization ?? "");
    const isAllowed = needed.every(({ name, action }) => action === "pull" || name.startsWith(`${team}/`));
    const isKnown = team !== undefined || headers.authorization === undefined;
    if (!isKnown || !isAllowed) throw new Unauthorized(this.#challenge, needed, "no key of the team");
    return team === undefined ? ANYBODY : { ...ANYBODY, user: team };
  }

  #teamOf(authorization: string): string | undefined {
    const [, encoded = ""] = /^Basic (.+)$/i.exec(authorization) ?? [];
    const [team = "", key = ""] = Buffer.from(encoded, "base64").toString().split(":", 2);
    const expected = this.#keys.get(team);
    return expected && timingSafeEqual(expected, digestOf(key)) ? team : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
