/** The keys of a configuration file, section by section; bigger sections have files of their own. */
import * as v from "valibot";
import {
  alwaysThere,
  bool,
  duration,
  type Field,
  field,
  int,
  LONGEST_TIMER,
  list,
  listOf,
  named,
  oneOf,
  optionalText,
  parameters,
  section,
  text,
  timeLimit,
  withDefault,
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
    addr: v.optional(socketAddress("the mail server's <host>:<port>, such as mail.example.com:25")),
    username: optionalText,
    password: optionalText,
    insecure: withDefault(bool, false),
  }),
  from: optionalText,
  to: listOf(named("the address of a recipient")),
});

const hook = v.pipe(
  section({
    type: oneOf("mail"),
    disabled: withDefault(bool, false),
    levels: listOf(oneOf("panic", "fatal", "error", "warning", "warn", "info", "debug")),
    options: mail,
  }),
  v.forward(
    v.check(
      ({ disabled, options: { smtp, from, to } }) => disabled || Boolean(smtp.addr && from && to.length > 0),
      "with smtp.addr, from and to, unless the hook is disabled",
    ),
    ["options"],
  ),
);

const log = alwaysThere({
  accesslog: alwaysThere({ disabled: withDefault(bool, false) }),
  level: v.optional(level),
  formatter: withDefault(oneOf("text", "json", "logstash"), "text"),
  fields: parameters,
  hooks: listOf(hook),
  reportcaller: withDefault(bool, false),
});

const proxy = section({
  remoteurl: optionalText,
  username: optionalText,
  password: optionalText,
  exec: v.optional(section({ command: named("the command of a credential helper"), lifetime: v.optional(duration) })),
  ttl: withDefault(duration, 168 * 3_600_000),
  cachewritetimeout: withDefault(duration, 5 * 60_000),
});

const validation = alwaysThere({
  enabled: v.optional(bool),
  disabled: withDefault(bool, false),
  manifests: alwaysThere({
    urls: alwaysThere({ allow: listOf(urlPattern), deny: listOf(urlPattern) }),
    indexes: alwaysThere({
      platforms: withDefault(oneOf("all", "none", "list"), "all"),
      platformlist: listOf(section({ architecture: withDefault(text, ""), os: withDefault(text, "") })),
    }),
  }),
});

const compatibility = alwaysThere({
  schema1: alwaysThere({ enabled: withDefault(bool, false), signingkeyfile: optionalText }),
});

const reporting = alwaysThere({
  bugsnag: alwaysThere({ apikey: optionalText, releasestage: optionalText, endpoint: optionalText }),
  newrelic: alwaysThere({ licensekey: optionalText, name: optionalText, verbose: withDefault(bool, false) }),
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
  datadir: v.optional(named("the path of a directory")),
  exclusive: withDefault(bool, false),
  workers: withDefault(workers, 1),
  trustedproxies: v.optional(list(network)),
  limits,
  manifestkinds: listOf(named("the specifier of a module, such as ./kinds/model.js")),
  notifications: alwaysThere({ queuesize: withDefault(int(1024 * 1024), 1024 * 1024 * 1024) }),
  audit: alwaysThere({ file: optionalText, pulls: withDefault(bool, true) }),
  timeouts: alwaysThere({
    header: v.pipe(withDefault(timeLimit, 30_000), v.transform(atMost(LONGEST_HEADER))),
    idle: v.pipe(withDefault(timeLimit, 180_000), v.transform(atMost(LONGEST_TIMER - KEEP_ALIVE_BUFFER))),
    body: withDefault(timeLimit, 60_000),
  }),
});

const upToOneThousand = (least: number): Field<number> =>
  v.pipe(
    withDefault(int(least), 1000),
    v.transform((count) => (count <= 0 ? 1000 : count)),
  );

export const schema: Field<FileConfig> = section({
  version: field('"0.1"', ({ text }) => (text === "0.1" ? ("0.1" as const) : undefined)),
  log,
  loglevel: v.optional(level),
  storage,
  auth,
  middleware,
  http,
  notifications,
  redis: v.optional(redis),
  health,
  catalog: alwaysThere({ maxentries: upToOneThousand(Number.MIN_SAFE_INTEGER) }),
  tags: alwaysThere({ maxtags: upToOneThousand(0) }),
  proxy: v.optional(proxy),
  validation,
  policy: alwaysThere({ repository: alwaysThere({ classes: listOf(text) }) }),
  compatibility,
  reporting,
  wharfinger,
});
