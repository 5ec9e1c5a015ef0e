import { ConfigError } from "./config-error.ts";
import { type Mapping, nearest } from "./tree.ts";

/**
 * Where a key, such as `auth.htpasswd.path`, or the section nearest to it was written.
 * @returns `file:line` or the variable; undefined for what is no key of the configuration
 */
export type Locate = (key: string) => string | undefined;

export function locateIn(root: Mapping): Locate {
  return (key) => {
    const found = nearest(root, key.replaceAll(/\[(\d+)\]/g, ".$1").split("."));
    return found === root ? undefined : found.where;
  };
}

/** An error of a part, which knows its key alone, with the place of that key before it. */
export function locatedError(error: ConfigError, locate: Locate): ConfigError {
  const { where, sentence } = error.finding;
  const place = locate(where);
  return place === undefined ? error : new ConfigError(place, `${where}: ${sentence}`, { cause: error });
}
