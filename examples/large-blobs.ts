/**
 * Storage middleware of one's own: only blobs of at least `least` bytes are fetched from the storage by clients, because
 * for small ones a second request costs more than the bytes. middleware.yml names it, wrapped.ts calls it.
 */
import { canRedirect, decorate, type WrapDriver } from "wharfinger";

export const wrapDriver: WrapDriver = (driver, { least }) => {
  if (typeof least !== "number") throw new TypeError(`least is ${least}, but must be a number of bytes`);
  if (!canRedirect(driver)) return driver;
  return decorate(driver, {
    redirectUrl: async (path, request) => {
      const { size } = await driver.stat(path);
      return size < least ? undefined : await driver.redirectUrl(path, request);
    },
  });
};
