import { parseStoredName, type RepositoryName } from "../oci/names.ts";
import { type Child, childrenOf } from "../storage/children.ts";
import { REPOSITORY_MARKERS } from "./paths.ts";
import type { ListOptions } from "./registry.ts";
import type { Store } from "./store.ts";

/** Every repository, component by component: a parent before its children, then folder by folder. */
export async function* listRepositories(
  store: Store,
  { after, signal }: ListOptions<RepositoryName>,
): AsyncGenerator<RepositoryName, void, void> {
  const bound = after === undefined ? undefined : after.split("/");
  for await (const folder of repositoryFolders(store, [], bound, signal)) {
    if (!folder.children.some((child) => REPOSITORY_MARKERS.includes(child))) continue;
    const name = storedName(folder.components.join("/"));
    if (name !== undefined && name !== after) yield name;
  }
}

/** What can be part of a repository's name: others put `lost+found` and the like beside them. */
const COMPONENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export interface RepositoryFolder {
  readonly components: readonly string[];
  /** Names of everything in the folder, the reserved ones that begin with `_` included. */
  readonly children: readonly string[];
}

/**
 * Every folder that is or may become a repository, depth first.
 * @param bound components of a name: folders that sort before it are left out
 */
export async function* repositoryFolders(
  store: Store,
  components: readonly string[] = [],
  bound?: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<RepositoryFolder, void, void> {
  signal?.throwIfAborted();
  const path = [store.paths.repositories, ...components].join("/");
  const children = await childrenOf(store.driver, path);
  if (components.length > 0 && (bound === undefined || bound.length === 0)) {
    yield { components, children: children.map(({ name }) => name) };
  }
  const [first, ...rest] = bound ?? [];
  for (const child of children
    .filter(mayBeRepository)
    .map(({ name }) => name)
    .sort()) {
    if (first !== undefined && child < first) continue;
    const within = child === first ? rest : undefined;
    yield* repositoryFolders(store, [...components, child], within, signal);
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
