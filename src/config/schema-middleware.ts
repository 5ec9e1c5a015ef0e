/** The lists of middleware, and the options of those that are built in. */
import { z } from "zod";
import type { Parameters } from "./config.ts";
import { parseDuration } from "./duration.ts";
import {
  alwaysThere,
  bool,
  type Field,
  field,
  listOf,
  named,
  oneOf,
  optionalText,
  parameters,
  section,
} from "./fields.ts";
import type { CloudfrontParameters, Middleware, MiddlewareLists } from "./middleware-config.ts";
import { isSpecifier } from "./specifier.ts";
import { Scalar } from "./tree.ts";

/** An option that counts as left out where it is empty. */
function optional<T>(option: Field<T>): z.ZodType<T | undefined> {
  const isEmpty = (input: unknown): boolean => input instanceof Scalar && input.text === "";
  return z.preprocess((input) => (isEmpty(input) ? undefined : input), option.optional());
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
  duration: duration(DURATION).default(DURATION),
  ipfilteredby: optional(filter),
  awsregion: optional(regions),
  updatefrequency: duration(UPDATE_FREQUENCY).optional(),
  updatefrenquency: duration(UPDATE_FREQUENCY).optional(), // as an early release of the peers had it
  iprangesurl: optional(httpUrl("the URL of a list of addresses in Amazon's format")),
};

const cloudfront = section(cloudfrontOptions).transform((options, context): CloudfrontParameters => {
  const { ipfilteredby = "none", updatefrenquency, updatefrequency, iprangesurl, ...others } = options;
  if (ipfilteredby === "awsregion" && others.awsregion === undefined) {
    context.issues.push({ code: "custom", message: REGIONS, path: ["awsregion"], input: options });
  }
  return { ...others, ipfilteredby, iprangesurl, updatefrequency: updatefrequency ?? updatefrenquency };
});

const redirectOptions = { baseurl: httpUrl("a URL with scheme and host, such as https://blobs.example.com") };

const host = field("a host, with a port or without, such as cdn.example.com", ({ text }) =>
  /^[^\s@/?#\\]+$/.test(text) && URL.canParse(`http://${text}`) ? text : undefined,
);

const rewriteOptions = {
  scheme: optional(oneOf("http", "https")),
  host: optional(host),
  trimpathprefix: optionalText,
};

const STORAGE: ReadonlyMap<string, z.ZodType<Parameters>> = new Map<string, z.ZodType<Parameters>>([
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

export const middleware: z.ZodType<MiddlewareLists> = alwaysThere({
  registry: entries(new Map()),
  repository: entries(new Map()),
  storage: entries(STORAGE),
});

function entries(builtIn: typeof STORAGE): z.ZodType<readonly Middleware[]> {
  const own = "the specifier of a module, such as ./middleware/audit.js";
  const accepted = [...builtIn.keys(), own].join(", ").replace(/, (?=the )/, " or ");
  const entry = section({
    name: named(accepted),
    disabled: bool.default(false),
    options: z.record(z.string(), z.unknown()).default({}),
  });
  return listOf(
    entry.transform(({ name, disabled, options }, context): Middleware => {
      if (!disabled && !builtIn.has(name) && !isSpecifier(name)) {
        context.issues.push({ code: "custom", message: accepted, path: ["name"], input: name });
      }
      const schema = disabled ? undefined : builtIn.get(name);
      const parsed = (schema ?? parameters).safeParse(options);
      for (const issue of parsed.error?.issues ?? []) {
        context.issues.push({ ...issue, path: ["options", ...issue.path], input: options } as z.core.$ZodRawIssue);
      }
      return { name, disabled, options: parsed.data ?? {} };
    }),
  );
}
