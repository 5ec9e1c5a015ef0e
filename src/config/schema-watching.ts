import type { z } from "zod";
import { alwaysThere, bool, field, int, listOf, named, section, text, timer } from "./fields.ts";
import type { FileConfig } from "./file-config.ts";
import { headers } from "./headers.ts";
import type { HealthConfig } from "./health-config.ts";
import { socketAddress } from "./socket-address.ts";

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

/** Each check has a name of its own: the peers panic where two have the same. */
export const health: z.ZodType<HealthConfig> = alwaysThere({
  storagedriver: alwaysThere({ enabled: bool.default(false), interval, threshold }),
  file: listOf(section({ file: named("the path of a file"), interval, threshold })),
  http: listOf(
    section({
      uri: field("a URL with http or https", ({ text }) => (isHttpUrl(text) ? text : undefined)),
      headers,
      statuscode: int().default(200),
      timeout: timer.optional(),
      interval,
      threshold,
    }),
  ),
  tcp: listOf(
    section({
      addr: socketAddress("<host>:<port>, such as localhost:6379"),
      timeout: timer.optional(),
      interval,
      threshold,
    }),
  ),
}).superRefine((checks, context) => {
  const names = [
    ...checks.file.map(({ file }, index) => ({ name: file, path: ["file", index, "file"] })),
    ...checks.http.map(({ uri }, index) => ({ name: uri, path: ["http", index, "uri"] })),
    ...checks.tcp.map(({ addr }, index) => ({ name: addr, path: ["tcp", index, "addr"] })),
  ];
  for (const { name, path } of names) {
    if (names.filter((other) => other.name === name).length > 1) {
      context.addIssue({ code: "custom", path, message: "what no other check has" });
    }
  }
});

function isHttpUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    decodeURIComponent(`${username}${password}`);
    return protocol === "http:" || protocol === "https:";
  } catch {
    return false;
  }
}
