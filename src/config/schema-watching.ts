import * as v from "valibot";
import {
  alwaysThere,
  bool,
  type Field,
  field,
  int,
  listOf,
  named,
  pathOf,
  section,
  text,
  timer,
  withDefault,
} from "./fields.ts";
import type { FileConfig } from "./file-config.ts";
import { headers } from "./headers.ts";
import type { HealthConfig } from "./health-config.ts";
import { socketAddress } from "./socket-address.ts";

const endpoint = section({
  name: named("the name of the endpoint"),
  disabled: withDefault(bool, false),
  url: named("the URL events are sent to"),
  headers,
  timeout: withDefault(timer, 1000),
  threshold: withDefault(int(), 10),
  backoff: withDefault(timer, 1000),
  ignoredmediatypes: listOf(text),
  ignore: alwaysThere({ mediatypes: listOf(text), actions: listOf(text) }),
});

export const notifications: Field<FileConfig["notifications"]> = alwaysThere({
  events: alwaysThere({ includereferences: withDefault(bool, false) }),
  endpoints: listOf(endpoint),
});

const interval = withDefault(timer, 10_000);
const threshold = withDefault(int(), 0);

const checks = alwaysThere({
  storagedriver: alwaysThere({ enabled: withDefault(bool, false), interval, threshold }),
  file: listOf(section({ file: named("the path of a file"), interval, threshold })),
  http: listOf(
    section({
      uri: field("a URL with http or https", ({ text }) => (isHttpUrl(text) ? text : undefined)),
      headers,
      statuscode: withDefault(int(), 200),
      timeout: v.optional(timer),
      interval,
      threshold,
    }),
  ),
  tcp: listOf(
    section({
      addr: socketAddress("<host>:<port>, such as localhost:6379"),
      timeout: v.optional(timer),
      interval,
      threshold,
    }),
  ),
});

/** Each check has a name of its own: the peers panic where two have the same. */
export const health: Field<HealthConfig> = v.pipe(
  checks,
  v.rawCheck(({ dataset, addIssue }) => {
    const names = dataset.typed ? namesOf(dataset.value) : [];
    for (const { name, path } of names) {
      if (names.filter((other) => other.name === name).length > 1)
        addIssue({ path: pathOf(...path), message: "what no other check has" });
    }
  }),
);

interface Name {
  readonly name: string;
  readonly path: readonly [section: string, index: number, key: string];
}

function namesOf({ file, http, tcp }: HealthConfig): readonly Name[] {
  return [
    ...file.map(({ file: name }, index) => ({ name, path: ["file", index, "file"] as const })),
    ...http.map(({ uri: name }, index) => ({ name, path: ["http", index, "uri"] as const })),
    ...tcp.map(({ addr: name }, index) => ({ name, path: ["tcp", index, "addr"] as const })),
  ];
}

function isHttpUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    decodeURIComponent(`${username}${password}`);
    return protocol === "http:" || protocol === "https:";
  } catch {
    return false;
  }
}
