import { decorate } from "../lib/decorate.ts";
import {
  type AtomicDriver,
  canListDetailed,
  canRedirect,
  canStage,
  canWriteAtomically,
  type StagingDriver,
  type StorageDriver,
} from "./driver.ts";

/** What the peers call the calls of a driver. */
export type StorageAction =
  | "GetContent"
  | "PutContent"
  | "Reader"
  | "Writer"
  | "Stat"
  | "List"
  | "Move"
  | "Delete"
  | "RedirectURL";

export interface StorageCall {
  readonly action: StorageAction;
  /** Of a move: where from. */
  readonly path: string;
  /** Of a move: where to. */
  readonly target?: string;
  /** Bytes that are put. */
  readonly length?: number;
  readonly offset?: number | undefined;
  readonly append?: boolean;
}

/** Goes on with a call by `proceed`, whose promise it gives back. */
export type AroundStorageCall = <T>(call: StorageCall, proceed: () => Promise<T>) => Promise<T>;

/**
 * A driver whose calls are seen; what is read from its readers and written to its writers is not.
 * @returns one that owns `driver`
 */
export function observedDriver(driver: StorageDriver, around: AroundStorageCall): StorageDriver {
  return decorate(driver, {
    getContent: (path) => around({ action: "GetContent", path }, () => driver.getContent(path)),
    putContent: (path, content, options) =>
      around({ action: "PutContent", path, length: content.length }, () => driver.putContent(path, content, options)),
    reader: (path, offset, options) =>
      around({ action: "Reader", path, offset }, () => driver.reader(path, offset, options)),
    writer: (path, options) =>
      around({ action: "Writer", path, append: options.append }, () => driver.writer(path, options)),
    stat: (path) => around({ action: "Stat", path }, () => driver.stat(path)),
    list: (path) => around({ action: "List", path }, () => driver.list(path)),
    move: (path, target, options) => around({ action: "Move", path, target }, () => driver.move(path, target, options)),
    delete: (path, options) => around({ action: "Delete", path }, () => driver.delete(path, options)),
    ...(canRedirect(driver) && {
      redirectUrl: (path: string, request: Parameters<typeof driver.redirectUrl>[1]) =>
        around({ action: "RedirectURL", path }, () => driver.redirectUrl(path, request)),
    }),
    ...(canStage(driver) && stagingMembers(driver, around)),
    ...(canListDetailed(driver) && {
      listDetailed: (path: string) => around({ action: "List", path }, () => driver.listDetailed(path)),
    }),
    ...(canWriteAtomically(driver) && atomicMembers(driver, around)),
  });
}

/** Named by what they are most like. */
function stagingMembers(
  driver: StagingDriver,
  around: AroundStorageCall,
): Pick<StagingDriver, "beginStaged" | "statStaged" | "commitStaged"> {
  return {
    beginStaged: (path) => around({ action: "Writer", path, append: false }, () => driver.beginStaged(path)),
    statStaged: (path) => around({ action: "Stat", path }, () => driver.statStaged(path)),
    commitStaged: (path, target, staged) =>
      around({ action: "Move", path, target }, () => driver.commitStaged(path, target, staged)),
  };
}

function atomicMembers(
  driver: AtomicDriver,
  around: AroundStorageCall,
): Pick<AtomicDriver, "atomicWriter" | "listUnfinished" | "removeUnfinished"> {
  return {
    atomicWriter: (path, aside) =>
      around({ action: "Writer", path, append: false }, () => driver.atomicWriter(path, aside)),
    listUnfinished: (path) => around({ action: "List", path }, () => driver.listUnfinished(path)),
    removeUnfinished: (unfinished) =>
      around({ action: "Delete", path: unfinished.path }, () => driver.removeUnfinished(unfinished)),
  };
}

/** The first of them is outermost. */
export function composed(arounds: readonly AroundStorageCall[]): AroundStorageCall | undefined {
  return arounds.reduceRight<AroundStorageCall | undefined>(
    (inner, outer) => (inner ? (call, proceed) => outer(call, () => inner(call, proceed)) : outer),
    undefined,
  );
}
