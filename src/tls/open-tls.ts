import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { AcmeCache } from "./acme-cache.ts";
import type { FileTls, Tls, TlsLog } from "./file-tls.ts";

/** How often files are looked at. ms */
const LOOK = 5000;

/**
 * @returns undefined where connections are not encrypted
 * @throws {ConfigError} where a file cannot be used
 */
export async function openTls({ http: { tls } }: Config, log: TlsLog): Promise<Tls | undefined> {
  if (tls.certificate !== undefined) {
    const { FileTls } = await import("./file-tls.ts");
    return watched(new FileTls(tls, log));
  }
  if (tls.letsencrypt.cachefile === undefined) return undefined;
  const [{ openIssuer }, { AcmeTls }] = await Promise.all([import("./acme-issuer.ts"), import("./acme-tls.ts")]);
  const cache = await openCache(tls.letsencrypt.cachefile);
  return new AcmeTls(tls, { cache, issue: openIssuer(cache, tls.letsencrypt), log });
}

/** @throws {ConfigError} */
async function openCache(folder: string): Promise<AcmeCache> {
  const { AcmeCache } = await import("./acme-cache.ts");
  try {
    return new AcmeCache(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError("http.tls.letsencrypt.cachefile", `must be a directory that we can write to: ${reason}`, {
      cause,
    });
  }
}

function watched(tls: FileTls): Tls {
  const timer = setInterval(() => tls.look(), LOOK).unref();
  const owned = new DisposableStack();
  owned.use(tls);
  owned.defer(() => clearInterval(timer));
  return {
    options: tls.options,
    attach: (server) => tls.attach(server),
    admits: (socket) => tls.admits(socket),
    challenged: () => tls.challenged(),
    reload: () => tls.reload(),
    [Symbol.dispose]: () => owned.dispose(),
  };
}
