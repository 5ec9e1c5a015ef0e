import { Unavailable } from "../../oci/errors.ts";
import type { FileContent } from "../file-content.ts";
import type { RemoteKeys } from "./remote-keys.ts";
import { joined, type TrustedKeys } from "./trusted-keys.ts";

/** Where keys come from; at least one of them. */
export interface KeyPlaces {
  /** `rootcertbundle` and `jwks`, as far as they are files. */
  readonly files: readonly FileContent<TrustedKeys>[];
  readonly remote?: RemoteKeys | undefined;
}

/** The keys of all places together. */
export class KeySources implements AsyncDisposable {
  readonly #places: KeyPlaces;
  #parts: readonly (TrustedKeys | undefined)[] = [];
  #joined: TrustedKeys | undefined;

  constructor(places: KeyPlaces) {
    this.#places = places;
  }

  /**
   * @returns the same object as long as nothing changed
   * @throws {Unavailable} while a place says nothing
   */
  current(): TrustedKeys {
    const { files, remote } = this.#places;
    const parts = [...files.map((file) => file.get()), remote?.current];
    if (this.#joined && parts.every((part, index) => part === this.#parts[index])) return this.#joined;
    this.#parts = parts;
    this.#joined = joined(...parts.filter((part) => part !== undefined));
    return this.#joined;
  }

  /**
   * After a token named a key that is not among them.
   * @throws {Unavailable} where it may be among those that could not be had so far
   */
  async refreshed(): Promise<TrustedKeys> {
    const { remote } = this.#places;
    await remote?.refresh();
    if (remote && !remote.current) throw new Unavailable("the keys of the token server cannot be had");
    return this.current();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#places.remote?.[Symbol.asyncDispose]();
  }
}
