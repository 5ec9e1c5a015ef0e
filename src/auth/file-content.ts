import { Unavailable } from "../oci/errors.ts";
import { WatchedFile } from "./watched-file.ts";

export type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/**
 * What a file says who may come in. While it cannot be read or understood it says nothing, and what it said before does
 * not count: whoever breaks it may have meant to lock somebody out.
 */
export class FileContent<T extends object> {
  readonly #file: WatchedFile;
  readonly #parse: (text: string) => T;
  readonly #warn: Warn;
  /** Of the last look. */
  #text: string | undefined;
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  /**
   * @param parse throws an Error whose message is for the log and quotes nothing secret
   * @throws {Error} where the file cannot be used from the beginning
   */
  constructor(path: string, parse: (text: string) => T, warn: Warn) {
    this.#file = new WatchedFile(path);
    this.#parse = parse;
    this.#warn = warn;
    this.#look();
    if (this.#outcome && "error" in this.#outcome) throw this.#outcome.error;
  }

  /**
   * @returns the same object as long as the file says the same
   * @throws {Unavailable}
   */
  get(): T {
    const before = this.#outcome;
    this.#look();
    if (this.#outcome && "value" in this.#outcome) return this.#outcome.value;
    if (this.#outcome !== before) this.#tell(this.#outcome?.error);
    throw new Unavailable("the registry cannot tell who may come in; its log says why");
  }

  #look(): void {
    try {
      const text = this.#file.read();
      if (text === this.#text && this.#outcome) return;
      this.#text = text;
      this.#outcome = this.#parsed(text);
    } catch (error) {
      this.#unreadable(error);
    }
  }

  #parsed(text: string): { readonly value: T } | { readonly error: unknown } {
    try {
      return { value: this.#parse(text) };
    } catch (error) {
      return { error };
    }
  }

  /** Told once, however often it is looked at. */
  #unreadable(error: unknown): void {
    if (this.#text === undefined && this.#outcome && "error" in this.#outcome) return;
    this.#text = undefined;
    this.#outcome = { error };
  }

  #tell(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#warn("a file of access control cannot be used, so nobody comes in", { path: this.#file.path, reason });
  }
}
