import type { z } from "zod";
import type { HealthConfig } from "./config.ts";
import { alwaysThere, bool, int, listOf, named, section, text, timer } from "./fields.ts";
import type { FileConfig } from "./file-config.ts";
import { headers } from "./headers.ts";

const endpoint = section({
  name: named("the name of the endpoint"),
  disabled: bool.default(false),
  url: named("the URL events are sent to"),
  headers,
  timeout: timer.default(1000),
  threshold: int().default(10),
  backoff: timer.default(1000),
  ignoredmediatypes: listOf(text),
  ignore: alwaysThere({ mediatypes: listOf(text), actions: listOf(text) }),
});

export const notifications: z.ZodType<FileConfig["notifications"]> = alwaysThere({
  events: alwaysThere({ includereferences: bool.default(false) }),
  endpoints: listOf(endpoint),
});

const interval = timer.default(10_000);
const threshold = int().default(0);

export const health: z.ZodType<HealthConfig> = alwaysThere({
  storagedriver: alwaysThere({ enabled: bool.default(false), interval, threshold }),
  file: listOf(section({ file: named("the path of a file"), interval, threshold })),
  http: listOf(
    section({
      uri: named("a URL"),
      headers,
      statuscode: int().default(200),
      timeout: timer.optional(),
      interval,
      threshold,
    }),
  ),
  tcp: listOf(section({ addr: named("host:port"), timeout: timer.optional(), interval, threshold })),
});
