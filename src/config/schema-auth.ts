/** The section `auth`. */
import * as v from "valibot";
import type { Parameters, TokenConfig } from "./config.ts";
import {
  alwaysThere,
  bool,
  type Field,
  field,
  listOf,
  named,
  optionalText,
  parameters,
  section,
  withDefault,
} from "./fields.ts";
import type { FileConfig } from "./file-config.ts";

const realm = named("the realm told to clients");
const service = named("the name of this registry for the token server");

const ALGORITHMS: readonly string[] = [
  "EdDSA",
  ...["HS", "RS", "ES", "PS"].flatMap((family) => ["256", "384", "512"].map((size) => family + size)),
];

const algorithm = field(`one of ${ALGORITHMS.join(", ")}`, ({ text }) => ALGORITHMS.find((known) => known === text));

const path = field("a path that begins with /, such as /auth/token", ({ text }) =>
  /^\/[\x21-\x7e]*$/.test(text) ? text : undefined,
);

/** A word and `://` begin a URL; of a path that would be a strange name. */
const keySet = field("the path of a file, or a URL with http or https", ({ text }) =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !/^https?:\/\//i.test(text) ? undefined : text,
);

const tokenOptions = section({
  realm,
  service,
  issuer: named("the issuer of the tokens"),
  rootcertbundle: optionalText,
  jwks: v.pipe(
    v.optional(keySet),
    v.transform((text) => text || undefined),
  ),
  autoredirect: withDefault(bool, false),
  autoredirectpath: v.optional(path),
  signingalgorithms: listOf(algorithm),
});

const KEYS_NEEDED =
  "the path of a bundle of certificates, or auth.token.jwks be given: token auth requires at least one token signing key";

const token: Field<TokenConfig> = v.pipe(
  tokenOptions,
  v.forward(
    v.check(({ rootcertbundle, jwks }) => rootcertbundle !== undefined || jwks !== undefined, KEYS_NEEDED),
    ["rootcertbundle"],
  ),
);

export const auth: Field<FileConfig["auth"]> = alwaysThere({
  none: v.optional(parameters),
  silly: v.optional(section({ realm, service })),
  htpasswd: v.optional(section({ realm, path: named("the path of a htpasswd file") })),
  token: v.optional(token),
});

/** The section of a controller that is named by its module, which alone knows what its parameters mean. */
export function ownAccess(specifier: string): Field<Parameters> {
  return v.pipe(
    section({ auth: section({ [specifier]: parameters }) }),
    v.transform(({ auth }) => auth[specifier] ?? {}),
  );
}
