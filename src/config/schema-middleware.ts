/** The lists of middleware, and the options of those that are built in. */
import * as v from "valibot";
import type { Parameters } from "./config.ts";
import { parseDuration } from "./duration.ts";
import {
  alwaysThere,
  bool,
  type Field,
  field,
  listOf,
  mapOf,
  named,
  oneOf,
  optionalText,
  parameters,
  pathOf,
  section,
  withDefault,
} from "./fields.ts";
import type { CloudfrontParameters, Middleware, MiddlewareLists } from "./middleware-config.ts";
import { isSpecifier } from "./specifier.ts";
import { Scalar } from "./tree.ts";

/** An option that counts as left out where it is empty. */
function optional<T>(option: Field<T>): Field<T | undefined> {
  const isEmpty = (input: unknown): boolean => input instanceof Scalar && input.text === "";
  return v.pipe(
    v.optional(v.unknown()), // a missing key is none that is not accepted
    v.transform((input) => (isEmpty(input) ? undefined : input)),
    v.optional(option),
  );
}

function httpUrl(accepted: string, complete: (text: string) => string = (text) => text): Field<URL> {
  return field(accepted, ({ text }) => {
    const url = complete(text);
    return /^https?:\/\/[^/?#]/i.test(url) ? (URL.parse(url) ?? undefined) : undefined;
  });
}

/** The peers pass over what is no text, as a bare number; a warning tells that. */
function duration(byDefault: number): Field<number> {
  return field("a duration above 0, such as 20m", ({ value, text }) => {
    const ms = typeof value === "string" ? parseDuration(text) : byDefault;
    return ms !== undefined && ms > 0 ? ms : undefined;
  });
}

const DURATION = 20 * 60_000;
const UPDATE_FREQUENCY = 12 * 3_600_000;

const withScheme = (text: string): string => (text.includes("://") ? text : `https://${text}`);

const filter = field("one of none, aws, awsregion", ({ text }) =>
  (["none", "aws", "awsregion"] as const).find((known) => known === text.trim().toLowerCase()),
);

const REGIONS = "a comma separated list of AWS regions, such as us-east-1,eu-west-1";

const regions = field(REGIONS, ({ text }) => {
  const names = text.split(",").map((name) => name.trim());
  return names.includes("") ? undefined : names;
});

const cloudfrontOptions = {
  baseurl: httpUrl("the URL of a distribution, such as https://d111111abcdef8.cloudfront.net", withScheme),
  privatekey: named("the path of an RSA private key in PEM"),
  keypairid: named("the id under which CloudFront knows the key"),
  duration: withDefault(duration(DURATION), DURATION),
  ipfilteredby: optional(filter),
  awsregion: optional(regions),
  updatefrequency: v.optional(duration(UPDATE_FREQUENCY)),
  updatefrenquency: v.optional(duration(UPDATE_FREQUENCY)), // as an early release of the peers had it
  iprangesurl: optional(httpUrl("the URL of a list of addresses in Amazon's format")),
};

const cloudfront: Field<CloudfrontParameters> = v.pipe(
  section(cloudfrontOptions),
  v.forward(
    v.check(({ ipfilteredby, awsregion }) => ipfilteredby !== "awsregion" || awsregion !== undefined, REGIONS),
    ["awsregion"],
  ),
  v.transform(({ ipfilteredby = "none", updatefrenquency, updatefrequency, iprangesurl, ...others }) => {
    return { ...others, ipfilteredby, iprangesurl, updatefrequency: updatefrequency ?? updatefrenquency };
  }),
);

const redirectOptions = { baseurl: httpUrl("a URL with scheme and host, such as https://blobs.example.com") };

const host = field("a host, with a port or without, such as cdn.example.com", ({ text }) =>
  /^[^\s@/?#\\]+$/.test(text) && URL.canParse(`http://${text}`) ? text : undefined,
);

const rewriteOptions = {
  scheme: optional(oneOf("http", "https")),
  host: optional(host),
  trimpathprefix: optionalText,
};

const STORAGE: ReadonlyMap<string, Field<Parameters>> = new Map<string, Field<Parameters>>([
  ["cloudfront", cloudfront],
  ["redirect", section(redirectOptions)],
  ["rewrite", section(rewriteOptions)],
]);

/** The options of what is built in, by the name of the storage middleware. */
export const STORAGE_OPTIONS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({ cloudfront: cloudfrontOptions, redirect: redirectOptions, rewrite: rewriteOptions }).map(
    ([name, options]) => [name, Object.keys(options)],
  ),
);

export const middleware: Field<MiddlewareLists> = alwaysThere({
  registry: entries(new Map()),
  repository: entries(new Map()),
  storage: entries(STORAGE),
});

function entries(builtIn: typeof STORAGE): Field<readonly Middleware[]> {
  const own = "the specifier of a module, such as ./middleware/audit.js";
  const accepted = [...builtIn.keys(), own].join(", ").replace(/, (?=the )/, " or ");
  const entry = section({
    name: named(accepted),
    disabled: withDefault(bool, false),
    options: mapOf(v.unknown()),
  });
  const read = v.rawTransform<v.InferOutput<typeof entry>, Middleware>(({ dataset, addIssue }) => {
    const { name, disabled, options } = dataset.value;
    if (!disabled && !builtIn.has(name) && !isSpecifier(name)) addIssue({ path: pathOf("name"), message: accepted });
    const schema = disabled ? undefined : builtIn.get(name);
    const parsed = v.safeParse(schema ?? parameters, options);
    for (const { path = [], message } of parsed.issues ?? [])
      addIssue({ path: [...pathOf("options"), ...path], message });
    return { name, disabled, options: parsed.success ? parsed.output : {} };
  });
  return listOf(v.pipe(entry, read));
}
