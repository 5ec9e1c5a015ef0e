import { LRUCache } from "lru-cache";
import { decorate } from "../lib/decorate.ts";
import { JointWork } from "../lib/joint-work.ts";
import { turnNow } from "../lib/turn.ts";
import { TurnAllowance } from "../lib/turn-allowance.ts";
import {
  canListDetailed,
  canStamp,
  type DetailingDriver,
  type FileInfo,
  type FileStamp,
  type ListedChild,
  type RecallingDriver,
  type StampingDriver,
  type StorageDriver,
} from "./driver.ts";
import { toFileInfo } from "./stamp.ts";
import { StampMemory, type StampMemoryOptions } from "./stamp-memory.ts";

export interface RememberingOptions {
  /** Whether a path's content is worth remembering: a few bytes that are read again and again. */
  readonly contents: (path: string) => boolean;
  /** Whether a path is asked for its size again and again. */
  readonly stats: (path: string) => boolean;
  /** Whether a folder is listed again and again. */
  readonly listings: (path: string) => boolean;
  /** ms since 1970, by the clock that the file system has. */
  readonly now?: () => number;
}

/** Paths of each kind. A link that is remembered costs half a KiB. */
const MOST_PATHS = 10_000;

/** Children of all listings together, 100 bytes each. */
const MOST_CHILDREN = 100_000;

/** Bytes of a content that is remembered. */
const LONGEST = 256;

/**
 * How long a listing is remembered. Of a child that is a symbolic link it says whether that leads to a folder, and this may
 * change without a trace in the folder itself. ms
 */
const LISTING_LIFE = 10_000;

/** Stamps taken before others get their turn again: half a millisecond. */
const STAMPS_A_TURN = 200;

/**
 * A driver that remembers small contents and listings by the stamps of their files and folders: as long as the stamp is the
 * same, so are they, whoever else may write there. A path that was asked for before is looked at without a promise; the first
 * time it may have to come from the disk, which takes its time, and is waited for elsewhere.
 *
 * @returns `driver` where it gives no stamps; else one that owns it
 */
export function rememberingDriver(driver: StorageDriver, options: RememberingOptions): StorageDriver {
  if (!canStamp(driver)) return driver;
  const stamps = new TurnStamps(driver.stampOf.bind(driver));
  return decorate(driver, {
    ...forgettingTurns(driver, stamps),
    ...rememberContents(driver, options, stamps),
    ...rememberPresence(driver, options, stamps),
    ...(canListDetailed(driver) && rememberListings(driver, options, stamps)),
  });
}

type Stamps = Pick<StampMemoryOptions<unknown>, "takeStamp" | "stampOfTurn" | "wait">;

/**
 * Stamps, so many a turn of the event loop. Requests that come in one turn share them: all of them had begun to arrive when the
 * turn began, so an answer is never older than its request. Of sixteen clients that ask for one tag, seven or so come together,
 * and a stamp takes 20 µs between other things ("GET manifest by tag" of `npm run bench`: 75 µs by tag, 52 by digest).
 */
class TurnStamps implements Stamps {
  readonly #stampOf: StampingDriver["stampOf"];
  readonly #taken = new Map<string, FileStamp>();
  readonly #allowance = new TurnAllowance(STAMPS_A_TURN);
  #turn = -1;

  constructor(stampOf: StampingDriver["stampOf"]) {
    this.#stampOf = stampOf;
  }

  readonly takeStamp = (path: string): FileStamp | undefined =>
    this.#allowance.take() ? this.#stampOf(path) : undefined;

  readonly stampOfTurn = (path: string): FileStamp | undefined => {
    const turn = turnNow();
    if (turn !== this.#turn) this.#taken.clear();
    this.#turn = turn;
    const taken = this.#taken.get(path);
    if (taken) return taken;
    const stamp = this.takeStamp(path);
    if (stamp) this.#taken.set(path, stamp);
    return stamp;
  };

  readonly wait = (): Promise<void> | undefined => this.#allowance.wait();

  forget(): void {
    this.#taken.clear();
  }
}

/** What this process wrote is seen by whoever reads after it, in the same turn as well. */
function forgettingTurns(
  driver: StorageDriver,
  stamps: TurnStamps,
): Pick<StorageDriver, "putContent" | "move" | "delete"> {
  const forgetting = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } finally {
      stamps.forget();
    }
  };
  return {
    putContent: (...put) => forgetting(driver.putContent(...put)),
    move: (...move) => forgetting(driver.move(...move)),
    delete: (...removal) => forgetting(driver.delete(...removal)),
  };
}

function rememberContents(
  driver: StorageDriver,
  { contents, now = Date.now }: RememberingOptions,
  stamps: Stamps,
): Pick<RecallingDriver, "getContent" | "recallContent"> {
  const sizeOf = ({ length }: string): number | undefined => (length <= LONGEST ? 1 : undefined);
  const memory = new StampMemory<string>({ ...stamps, now, sizeOf, mostSize: MOST_PATHS });
  return {
    recallContent: (path) => memory.recall(path),
    getContent: async (path) => {
      if (!contents(path)) return await driver.getContent(path);
      return Buffer.from(await memory.get(path, async () => toText(await driver.getContent(path))), "latin1");
    },
  };
}

/** A character a byte. */
function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

/** Remembers nothing but which paths were there: what `stat` says is always of the moment. */
function rememberPresence(
  driver: StorageDriver,
  { stats }: RememberingOptions,
  { takeStamp, stampOfTurn, wait }: Stamps,
): Pick<RecallingDriver, "stat" | "recallInfo"> {
  const seen = new LRUCache<string, true>({ maxSize: MOST_PATHS, sizeCalculation: () => 1 });
  const asked = new JointWork((path: string) => driver.stat(path));
  const recallInfo = (path: string): FileInfo | undefined => {
    const stamp = seen.get(path) && stampOfTurn(path);
    return stamp && toFileInfo(stamp);
  };
  return {
    recallInfo,
    stat: async (path) => {
      if (!stats(path)) return await driver.stat(path);
      const isKnown = seen.get(path);
      for (let turn = isKnown && wait(); turn; turn = wait()) await turn;
      const stamp = isKnown && takeStamp(path);
      if (stamp) return toFileInfo(stamp);
      seen.delete(path);
      const info = await asked.do(path);
      seen.set(path, true);
      return info;
    },
  };
}

function rememberListings(
  driver: DetailingDriver,
  { listings, now = Date.now }: RememberingOptions,
  stamps: Stamps,
): Pick<DetailingDriver & RecallingDriver, "listDetailed" | "recallListing"> {
  const sizeOf = ({ length }: readonly ListedChild[]): number => length + 1;
  const memory = new StampMemory({ ...stamps, now, sizeOf, mostSize: MOST_CHILDREN, life: LISTING_LIFE });
  return {
    recallListing: (path) => memory.recall(path),
    listDetailed: async (path) => {
      if (!listings(path)) return await driver.listDetailed(path);
      return [...(await memory.get(path, () => driver.listDetailed(path)))];
    },
  };
}
