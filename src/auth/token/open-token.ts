import type { AccessController, AccessRequest } from "../access-controller.ts";
import { FileContent, type Warn } from "../file-content.ts";
import { openFile } from "../unusable-value.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { KeySources } from "./key-sources.ts";
import { RemoteKeys } from "./remote-keys.ts";
import { TokenController } from "./token-controller.ts";
import { parseBundle, parseKeySet, type TrustedKeys } from "./trusted-keys.ts";

/** As in the configuration. */
export interface TokenPlaces {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** A file. */
  readonly rootcertbundle?: string | undefined;
  /** A file, or a URL. */
  readonly jwks?: string | undefined;
  readonly autoredirect: boolean;
  readonly autoredirectpath?: string | undefined;
  /** Empty: all that the kinds of the keys allow. */
  readonly signingalgorithms: readonly string[];
}

/** @throws {UnusableValue} where a file cannot be used */
export async function openToken(places: TokenPlaces, warn: Warn): Promise<AccessController> {
  const { realm, service, issuer, signingalgorithms } = places;
  const files = openFiles(places, warn);
  const remote = isUrl(places.jwks) ? await RemoteKeys.open({ url: places.jwks, warn }) : undefined;
  return new TokenController({
    ...{ realm, service, issuer },
    algorithms: new Set(signingalgorithms.length > 0 ? signingalgorithms : ALGORITHMS),
    realmFor: places.autoredirect ? realmOfHost(places.autoredirectpath) : undefined,
    keys: new KeySources({ files, remote }),
  });
}

function openFiles({ rootcertbundle, jwks }: TokenPlaces, warn: Warn): FileContent<TrustedKeys>[] {
  const open = (key: string, path: string, parse: (text: string) => TrustedKeys): FileContent<TrustedKeys> =>
    openFile(key, path, () => new FileContent(path, parse, warn));
  return [
    ...(rootcertbundle ? [open("rootcertbundle", rootcertbundle, parseBundle)] : []),
    ...(jwks && !isUrl(jwks) ? [open("jwks", jwks, (text) => parseKeySet(text, true))] : []),
  ];
}

function isUrl(jwks: string | undefined): jwks is string {
  return /^https?:\/\//i.test(jwks ?? "");
}

/**
 * The token server behind the name under which the client asked for this registry. The scheme is https, unless a proxy
 * says otherwise.
 */
function realmOfHost(path = "/auth/token"): (request: AccessRequest) => string | undefined {
  return ({ headers, base }) => {
    const url = URL.parse(base()) ?? (HOST.test(headers.host ?? "") ? URL.parse(`https://${headers.host}`) : null);
    const isForwarded = headers["x-forwarded-proto"] !== undefined || headers["forwarded"] !== undefined;
    return url ? `${isForwarded ? url.protocol : "https:"}//${url.host}${path}` : undefined;
  };
}

/** A name or an address, with or without a port, and nothing that would make another URL of it. */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
