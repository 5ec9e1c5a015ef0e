/** The section `auth`. */
import { z } from "zod";
import type { Parameters, TokenConfig } from "./config.ts";
import { alwaysThere, bool, field, listOf, named, optionalText, parameters, section } from "./fields.ts";
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

const token = section({
  realm,
  service,
  issuer: named("the issuer of the tokens"),
  rootcertbundle: optionalText,
  jwks: keySet.optional().transform((text) => text || undefined),
  autoredirect: bool.default(false),
  autoredirectpath: path.optional(),
  signingalgorithms: listOf(algorithm),
}).transform((options, context): TokenConfig => {
  if (!options.rootcertbundle && !options.jwks) {
    context.issues.push({ code: "custom", message: KEYS_NEEDED, path: ["rootcertbundle"], input: options });
  }
  return options;
});

const KEYS_NEEDED =
  "the path of a bundle of certificates, or auth.token.jwks be given: token auth requires at least one token signing key";

export const auth: z.ZodType<FileConfig["auth"]> = alwaysThere({
  none: parameters.unwrap().optional(),
  silly: section({ realm, service }).optional(),
  htpasswd: section({ realm, path: named("the path of a htpasswd file") }).optional(),
  token: token.optional(),
});

/** The section of a controller that is named by its module, which alone knows what its parameters mean. */
export function ownAccess(specifier: string): z.ZodType<Parameters> {
  const document = z.object({ auth: z.object({ [specifier]: parameters }) });
  return document.transform(({ auth }) => auth[specifier] ?? {});
}
