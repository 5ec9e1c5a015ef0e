/**
 * Registry middleware of one's own: repositories below `prefix` are not in the catalogue, for everybody who does not know
 * their names. middleware.yml names it, wrapped.ts calls it.
 */
import { decorate, type WrapRegistry } from "wharfinger";

export const wrapRegistry: WrapRegistry = (registry, { prefix }) => {
  if (typeof prefix !== "string") throw new TypeError(`prefix is ${prefix}, but must be text such as internal/`);
  return decorate(registry, {
    async *repositories(options) {
      for await (const name of registry.repositories(options)) if (!name.startsWith(prefix)) yield name;
    },
  });
};
