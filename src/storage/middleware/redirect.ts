import { decorate } from "../../lib/decorate.ts";
import type { RedirectingDriver, StorageDriver } from "../driver.ts";

export interface RedirectOptions {
  /** Scheme, host and perhaps a path, below which the storage's root is served over `http` or `https`. */
  readonly baseurl: URL;
}

/**
 * Sends clients to another server of the same bytes, by URLs that are not signed and do not expire.
 *
 * @see storage-layout, section 11, "redirect"
 */
export function redirectToBase(driver: StorageDriver, { baseurl }: RedirectOptions): RedirectingDriver {
  const base = `${baseurl.protocol}//${baseurl.host}${baseurl.pathname.replace(/\/+$/, "")}`;
  const redirectUrl = async (path: string): Promise<URL> => new URL(base + path);
  return decorate<StorageDriver, Pick<RedirectingDriver, "redirectUrl">>(driver, { redirectUrl });
}
