import type { Registry, Repository } from "./registry.ts";

type Options = Readonly<Record<string, unknown>>;

/**
 * What a module that a configuration names under `middleware.registry` exports as `wrapRegistry`. Whoever wraps a registry
 * owns it: disposal of the result disposes of it.
 * @param options as YAML has them; nothing in them is checked
 */
export type WrapRegistry = (registry: Registry, options: Options) => Registry | Promise<Registry>;

/**
 * What a module that a configuration names under `middleware.repository` exports as `wrapRepository`. It is called for every
 * request, and once at the start with a repository that does not exist, so that wrong options are found there: it should
 * do next to nothing itself.
 */
export type WrapRepository = (repository: Repository, options: Options) => Repository;
