/** What the supervisor and its workers ask and tell each other. All of it is plain data. */
import type { Deletion } from "../cache/deletions.ts";
import type { LimitKind } from "../http/limits.ts";
import type { PublishedHash } from "../registry/upload-memory.ts";
import type { Report } from "../telemetry/report.ts";

/** A configuration file as it was read, so that all workers have the same; undefined: the built-in one. */
export interface ReadFile {
  readonly name: string;
  readonly text: string;
}

/** What a worker is begun with. */
export interface Begin {
  /** From 1 on; another one that takes the place of one that died has its number. */
  readonly number: number;
  /** The file of the supervisor's start, and the one that was reloaded last. */
  readonly first: ReadFile | undefined;
  readonly current: ReadFile | undefined;
  readonly path: string | undefined;
  readonly flags: { readonly defaultConfig: boolean };
  /** Of all workers, in the log. */
  readonly instance: string;
  /** See `Peers.secret`. */
  readonly secret: string;
  /** Whether the registry starts, and not only this worker. */
  readonly isStart: boolean;
}

/** What belongs to a name, until it is given back. */
export interface Hold {
  /** The worker's own. */
  readonly id: number;
  readonly key: string;
}

/** Where a worker serves, for people. */
export interface Place {
  /** Where the data is. */
  readonly location: string;
  /** Where it listens, as far as it knows. */
  readonly address: string;
}

/** What workers count together. */
export interface Tally {
  readonly connections: number;
  readonly uploads: number;
}

/** Requests counted since the last time. */
export type Taken = readonly (readonly [kind: LimitKind, key: string, count: number])[];

/** What a worker asks of its supervisor. */
export type OfSupervisor = {
  /** Answered when it is held. */
  readonly lock: (lock: Hold & { readonly exclusive: boolean }) => Promise<void>;
  /** Of an upload. Answered when it is held; whoever has it is told to stop. */
  readonly turn: (turn: Hold) => Promise<void>;
  readonly release: (id: number) => void;
  /** Answered when no other worker remembers it. */
  readonly announce: (deletion: Deletion) => Promise<void>;
  readonly publish: (hashed: { readonly key: string; readonly hash: PublishedHash }) => void;
  readonly find: (key: string) => PublishedHash | undefined;
  readonly tally: (tally: Tally & { readonly taken: Taken }) => void;
  /** The worker takes connections. */
  readonly serving: (place: Place) => void;
  /** Answered when all workers can go on with the next configuration. */
  readonly agree: (able: boolean) => Promise<void>;
};

/** What the supervisor asks of a worker. */
export type OfWorker = {
  readonly begin: (begin: Begin) => void;
  readonly stop: (id: number) => void;
  readonly forget: (deletion: Deletion) => void;
  readonly elsewhere: (tally: Tally & { readonly taken: Taken }) => void;
  readonly report: (_: null) => Promise<Report | undefined>;
  /** Answered once it counts, or with the reason why everything stays as it is. */
  readonly reload: (file: { readonly file: ReadFile | undefined }) => Promise<string | undefined>;
  /** Whether it is there. */
  readonly ping: (_: null) => void;
  /** Opens files again that may have been replaced. */
  readonly renew: (_: null) => void;
  readonly drain: (reason: string) => void;
};
