import { decorate } from "../../lib/decorate.ts";
import { canRedirect, type RedirectingDriver, type StorageDriver } from "../driver.ts";

export interface RewriteOptions {
  readonly scheme?: "http" | "https" | undefined;
  /** With a port, where it is not the scheme's own. */
  readonly host?: string | undefined;
  /** Taken off the start of the path where it stands there. */
  readonly trimpathprefix?: string | undefined;
}

/**
 * Changes the URLs that a storage sends clients to, for a proxy in front of it. A storage that sends nobody anywhere stays
 * as it is.
 *
 * @see storage-layout, section 11, "rewrite"
 */
export function rewriteRedirects(driver: StorageDriver, options: RewriteOptions): StorageDriver {
  if (!canRedirect(driver)) return driver;
  return decorate<RedirectingDriver>(driver, {
    redirectUrl: async (path, request) => {
      const url = await driver.redirectUrl(path, request);
      return url && rewritten(url, options);
    },
  });
}

/** The query stays to the letter: it may hold a signature. */
function rewritten(url: URL, { scheme, host, trimpathprefix = "" }: RewriteOptions): URL {
  const { pathname, search, protocol } = url;
  const prefix = encodeURI(trimpathprefix);
  const path = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : pathname;
  const origin = `${scheme ? `${scheme}:` : protocol}//${host || url.host}`;
  return new URL(`${origin}${path.startsWith("/") ? "" : "/"}${path}${search}`);
}
