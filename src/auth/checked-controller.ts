import { http } from "../lib/node-http.ts";
import { Unauthorized } from "../oci/errors.ts";
import type { Access } from "./access.ts";
import type { AccessController, AccessRequest, Grant } from "./access-controller.ts";

/**
 * A controller of somebody else's making, whose word counts only where it is clear: what is no grant lets nobody in, and
 * what is not `true` is no.
 */
export class CheckedController implements AccessController {
  readonly name: string;
  readonly #inner: AccessController;

  constructor(inner: AccessController) {
    this.name = inner.name;
    this.#inner = inner;
  }

  authorize(request: AccessRequest, needed: readonly Access[]): Grant | Promise<Grant> {
    try {
      const given: unknown = this.#inner.authorize(request, needed);
      return isPromiseLike(given) ? this.#awaited(given) : this.#checked(given);
    } catch (error) {
      throw this.#sendable(error);
    }
  }

  async #awaited(given: PromiseLike<unknown>): Promise<Grant> {
    try {
      return this.#checked(await given);
    } catch (error) {
      throw this.#sendable(error);
    }
  }

  #checked(given: unknown): Grant {
    const { user, mayPull, mayPushClass, maySee } = (
      typeof given === "object" && given !== null ? given : {}
    ) as Partial<Grant>;
    if (typeof user !== "string")
      throw new Error(`${this.name} gave no grant: it lacks a user, "" where there is none`);
    return {
      user,
      ...(mayPull && { mayPull: strict(mayPull) }),
      ...(mayPushClass && { mayPushClass: strict(mayPushClass) }),
      ...(maySee && { maySee: strict(maySee) }),
    };
  }

  /** A challenge goes into a header as it is. */
  #sendable(error: unknown): unknown {
    if (!(error instanceof Unauthorized)) return error;
    try {
      http.validateHeaderValue("www-authenticate", error.challenge);
      return error;
    } catch (cause) {
      return new Error(`${this.name} gave a challenge that no header can hold`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** A promise, for one, would be as good as yes. */
function strict<T extends readonly unknown[]>(ask: (...about: T) => boolean): (...about: T) => boolean {
  return (...about) => ask(...about) === true;
}
