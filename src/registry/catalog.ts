import { parseStoredName, type RepositoryName } from "../oci/names.ts";
import { type Child, childrenOf } from "../storage/children.ts";
import { canRecall } from "../storage/driver.ts";
import { REPOSITORY_MARKERS } from "./paths.ts";
import type { ListOptions } from "./registry.ts";
import type { Store } from "./store.ts";

/** Every repository, component by component: a parent before its children, then folder by folder. */
export async function* listRepositories(
  store: Store,
  { after, signal }: ListOptions<RepositoryName>,
): AsyncGenerator<RepositoryName, void, void> {
  const walk = new FolderWalk(store, after);
  for (;;) {
    signal?.throwIfAborted();
    const step = walk.next();
    const folder = step instanceof Promise ? await step : step;
    if (folder === undefined) return;
    if (!folder.children.some(isMarker)) continue;
    const name = storedName(folder.name);
    if (name !== undefined && name !== after) yield name;
  }
}

function isMarker({ name }: Child): boolean {
  return REPOSITORY_MARKERS.includes(name);
}

/** What can be part of a repository's name: others put `lost+found` and the like beside them. */
const COMPONENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export interface RepositoryFolder {
  /** Its components with slashes between. */
  readonly name: string;
  /** Everything in the folder, the reserved names that begin with `_` included. */
  readonly children: readonly Child[];
}

interface Place {
  readonly name: string;
  /** Components of a name, from here on: folders that sort before it are left out. */
  readonly bound: readonly string[];
}

/**
 * Every folder that is or may become a repository, depth first. A step is no promise where its folder is known, which is
 * why this is no generator: one of each takes as long as the look at the folder (`npm run bench`, catalogue).
 */
export class FolderWalk {
  readonly #store: Store;
  /** The next one last. */
  readonly #places: Place[];

  /** @param from the name of a folder: those that sort before it are left out */
  constructor(store: Store, from?: string) {
    this.#store = store;
    this.#places = [{ name: "", bound: from === undefined ? [] : from.split("/") }];
  }

  /** @returns undefined after the last one */
  next(): Promise<RepositoryFolder | undefined> | RepositoryFolder | undefined {
    for (let place = this.#places.pop(); place; place = this.#places.pop()) {
      const known = this.#recall(place);
      if (known === undefined) return this.#look(place);
      const folder = this.#enter(place, known);
      if (folder) return folder;
    }
    return undefined;
  }

  async #look(place: Place): Promise<RepositoryFolder | undefined> {
    const children = await childrenOf(this.#store.driver, this.#pathOf(place));
    return this.#enter(place, children) ?? (await this.next());
  }

  #recall(place: Place): readonly Child[] | undefined {
    const { driver } = this.#store;
    return canRecall(driver) ? driver.recallListing?.(this.#pathOf(place)) : undefined;
  }

  #pathOf({ name }: Place): string {
    const { repositories } = this.#store.paths;
    return name === "" ? repositories : `${repositories}/${name}`;
  }

  /** @returns the folder, where it is none of those that only lead to the bound */
  #enter({ name, bound }: Place, children: readonly Child[]): RepositoryFolder | undefined {
    const [first, ...rest] = bound;
    const names = children.filter(mayBeRepository).map((child) => child.name);
    for (const child of names.sort().reverse()) {
      if (first !== undefined && child < first) break;
      this.#places.push({ name: name === "" ? child : `${name}/${child}`, bound: child === first ? rest : [] });
    }
    return name !== "" && first === undefined ? { name, children } : undefined;
  }
}

function mayBeRepository({ name, isDirectory }: Child): boolean {
  return isDirectory !== false && COMPONENT.test(name);
}

export function storedName(text: string): RepositoryName | undefined {
  try {
    return parseStoredName(text);
  } catch {
    return undefined;
  }
}
