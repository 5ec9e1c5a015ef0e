import type { IncomingHttpHeaders } from "node:http";
import type { RepositoryName } from "../oci/names.ts";
import type { Access } from "./access.ts";

/** Who may do what. One for all requests; it may be asked thousands of times a second. */
export interface AccessController extends AsyncDisposable {
  /** As in the configuration and the log, e.g. `token`. */
  readonly name: string;

  /**
   * Whether whoever sends a request may do everything of `needed`, which is empty where only their identity is asked for.
   * @throws {Unauthorized} with the challenge to send, where they may not or did not say who they are
   */
  authorize(request: AccessRequest, needed: readonly Access[]): Grant | Promise<Grant>;
}

/** What a controller may know of a request. */
export interface AccessRequest {
  readonly headers: IncomingHttpHeaders;
  /** Of the other end of the connection, which may be a proxy. */
  readonly address: string | undefined;
  /** The URL under which the client asked for this registry, with a slash at its end. */
  readonly base: () => string;
}

export interface Grant {
  /** Whose request it is; "" where they have no name. */
  readonly user: string;

  /**
   * Whether they may read a repository beyond those that were asked for, where the controller can tell. Where it cannot, no
   * repository is looked through on their behalf.
   */
  readonly mayPull?: (repository: RepositoryName) => boolean;

  /**
   * Whether they may push manifests of a class (`image`, `plugin`) to a repository that they may push to, where the controller
   * can tell. Asked only where `policy.repository.classes` is set; not set: every class.
   */
  readonly mayPushClass?: (repository: RepositoryName, manifestClass: string) => boolean;

  /** Which repositories a catalogue shows them; not set: all. */
  readonly maySee?: (repository: RepositoryName) => boolean;
}
