import type { Section } from "./row.ts";
import type { Seen } from "./seen.ts";

/** A key, and what is seen of it in a registry that has it. */
export interface Effect {
  readonly key: string;
  readonly value: unknown;
  /** Where the value alone is not enough, or is given otherwise than by the key's own variable. */
  readonly variable?: readonly [name: string, value: string];
  readonly seen: (registry: Seen) => unknown;
  readonly expected: unknown;
  /** What the old registry does instead, and why we do not. */
  readonly old?: { readonly expected: unknown; readonly why: string };
  /** Looked at when the registry has ended, and its log is whole. */
  readonly atEnd?: true;
  /** It is the same in a registry without the key, and why. */
  readonly asWithout?: string;
}

/** Keys that one registry can have together. */
export interface Group {
  readonly name: string;
  /** What is not the subject; the file's in both forms. */
  readonly base?: Section;
  /** Done before anything is looked at. */
  readonly work?: (registry: Seen) => Promise<unknown>;
  readonly effects: readonly Effect[];
}
