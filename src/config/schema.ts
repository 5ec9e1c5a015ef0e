/** The keys of a configuration file, section by section; bigger sections have files of their own. */
import { z } from "zod";
import {
  alwaysThere,
  bool,
  duration,
  field,
  int,
  LONGEST_TIMER,
  listOf,
  named,
  oneOf,
  optionalText,
  parameters,
  section,
  text,
  timeLimit,
} from "./fields.ts";
import type { FileConfig } from "./file-config.ts";
import { auth } from "./schema-auth.ts";
import { http } from "./schema-http.ts";
import { limits, network, workers } from "./schema-limits.ts";
import { middleware } from "./schema-middleware.ts";
import { redis } from "./schema-redis.ts";
import { storage } from "./schema-storage.ts";
import { health, notifications } from "./schema-watching.ts";
import { socketAddress } from "./socket-address.ts";
import { urlPattern } from "./url-pattern.ts";

const LEVELS = ["error", "warn", "info", "debug"] as const;

const level = field("one of error, warn, info, debug", ({ text }) =>
  LEVELS.find((known) => known === text.toLowerCase()),
);

const mail = alwaysThere({
  smtp: alwaysThere({
    addr: socketAddress("the mail server's <host>:<port>, such as mail.example.com:25").optional(),
    username: optionalText,
    password: optionalText,
    insecure: bool.default(false),
  }),
  from: optionalText,
  to: listOf(named("the address of a recipient")),
});

const log = alwaysThere({
  accesslog: alwaysThere({ disabled: bool.default(false) }),
  level: level.optional(),
  formatter: oneOf("text", "json", "logstash").default("text"),
  fields: parameters,
  hooks: listOf(
    section({
      type: oneOf("mail"),
      disabled: bool.default(false),
      levels: listOf(oneOf("panic", "fatal", "error", "warning", "warn", "info", "debug")),
      options: mail,
    }).superRefine(({ disabled, options }, context) => {
      if (disabled || (options.smtp.addr && options.from && options.to.length > 0)) return;
      const message = "with smtp.addr, from and to, unless the hook is disabled";
      context.addIssue({ code: "custom", path: ["options"], message });
    }),
  ),
  reportcaller: bool.default(false),
});

const proxy = section({
  remoteurl: optionalText,
  username: optionalText,
  password: optionalText,
  exec: section({ command: named("the command of a credential helper"), lifetime: duration.optional() }).optional(),
  ttl: duration.default(168 * 3_600_000),
  cachewritetimeout: duration.default(5 * 60_000),
});

const validation = alwaysThere({
  enabled: bool.optional(),
  disabled: bool.default(false),
  manifests: alwaysThere({
    urls: alwaysThere({ allow: listOf(urlPattern), deny: listOf(urlPattern) }),
    indexes: alwaysThere({
      platforms: oneOf("all", "none", "list").default("all"),
      platformlist: listOf(section({ architecture: text.default(""), os: text.default("") })),
    }),
  }),
});

const compatibility = alwaysThere({
  schema1: alwaysThere({ enabled: bool.default(false), signingkeyfile: optionalText }),
});

const reporting = alwaysThere({
  bugsnag: alwaysThere({ apikey: optionalText, releasestage: optionalText, endpoint: optionalText }),
  newrelic: alwaysThere({ licensekey: optionalText, name: optionalText, verbose: bool.default(false) }),
});

/** What Node gives a whole request by default: no server can be made that gives its head longer. ms */
export const LONGEST_HEADER = 300_000;

/** What Node adds to the time that an idle connection may have. ms */
const KEEP_ALIVE_BUFFER = 1000;

const atMost =
  (most: number) =>
  (ms: number): number =>
    Math.min(ms, most);

const wharfinger = alwaysThere({
  datadir: named("the path of a directory").optional(),
  exclusive: bool.default(false),
  workers: workers.default(1),
  trustedproxies: z.array(network).optional(),
  limits,
  manifestkinds: listOf(named("the specifier of a module, such as ./kinds/model.js")),
  notifications: alwaysThere({ queuesize: int(1024 * 1024).default(1024 * 1024 * 1024) }),
  audit: alwaysThere({ file: optionalText, pulls: bool.default(true) }),
  timeouts: alwaysThere({
    header: timeLimit.default(30_000).transform(atMost(LONGEST_HEADER)),
    idle: timeLimit.default(180_000).transform(atMost(LONGEST_TIMER - KEEP_ALIVE_BUFFER)),
    body: timeLimit.default(60_000),
  }),
});

const upToOneThousand = (least: number): z.ZodType<number> =>
  int(least)
    .default(1000)
    .transform((count) => (count <= 0 ? 1000 : count));

export const schema: z.ZodType<FileConfig> = z.object({
  version: field('"0.1"', ({ text }) => (text === "0.1" ? ("0.1" as const) : undefined)),
  log,
  loglevel: level.optional(),
  storage,
  auth,
  middleware,
  http,
  notifications,
  redis: redis.optional(),
  health,
  catalog: alwaysThere({ maxentries: upToOneThousand(Number.MIN_SAFE_INTEGER) }),
  tags: alwaysThere({ maxtags: upToOneThousand(0) }),
  proxy: proxy.optional(),
  validation,
  policy: alwaysThere({ repository: alwaysThere({ classes: listOf(text) }) }),
  compatibility,
  reporting,
  wharfinger,
});
