import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Grant } from "../auth/access-controller.ts";
import type { RegistryError } from "../oci/errors.ts";
import type { Action } from "./action.ts";
import { type EndAnswer, Reply } from "./reply.ts";
import { parseTarget, type Target } from "./target.ts";

/** A request, what is known of it by now, and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly reply: Reply;
  readonly target: Target;
  /** When it came. ms, of `performance.now()` */
  readonly time: number = performance.now();
  /** What it needed the right to do; not set for what was answered without a handler. */
  action: Action | undefined = undefined;
  /** What it was refused or failed with. */
  errors: readonly RegistryError[] | undefined = undefined;
  /** Whose request it is, from when access control has let it in; undefined where nobody is asked who they are. */
  grant: Grant | undefined = undefined;
  /** Whether access control did not let it in, or could not tell. */
  refused = false;
  #id: string | undefined = undefined;

  /** @param prefix begins and ends with `/` */
  constructor(request: IncomingMessage, response: ServerResponse, prefix: string, end?: EndAnswer) {
    this.request = request;
    this.reply = new Reply(response, end);
    this.target = parseTarget(request.url ?? "/", prefix);
  }

  get method(): string {
    return this.request.method ?? "";
  }

  get contentType(): string | undefined {
    return this.request.headers["content-type"];
  }

  /** A UUID of its own, made when somebody asks for it. */
  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }
}
