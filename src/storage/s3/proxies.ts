import { type Proxies, type ProxyVariables, toProxyVariables } from "../../lib/proxy-variables.ts";
import { StorageError } from "../errors.ts";
import { S3 } from "./parameters.ts";

/**
 * For the agents of the client.
 * @throws {StorageError} for a proxy that cannot be one
 */
export function checkedProxies(proxies: Proxies): ProxyVariables {
  try {
    return toProxyVariables(proxies);
  } catch (cause) {
    throw cause instanceof TypeError ? new StorageError(S3, cause.message, { cause }) : cause;
  }
}
