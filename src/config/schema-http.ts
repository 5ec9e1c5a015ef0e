import * as v from "valibot";
import { addressProblem } from "./address.ts";
import { CIPHER_SUITES, DROPPED_SUITES } from "./cipher-suites.ts";
import type { HttpConfig } from "./config.ts";
import {
  alwaysThere,
  bool,
  type Field,
  field,
  listOf,
  oneOf,
  optionalText,
  pathOf,
  text,
  timer,
  withDefault,
} from "./fields.ts";
import { headers } from "./headers.ts";

/** A path as it stands in a request, with nothing in it that is written in another way there. */
const prefix: Field<string> = field(
  "empty, or a plain path that begins and ends with a slash: /registry/",
  ({ text }) => (text === "" || /^\/(?:(?!\.{1,2}\/)[\w.~!$&'()*+,;=:@-]+\/)*$/.test(text) ? text : undefined),
);

/** The oldest two are raised to the oldest that is still sound. */
const minimumtls: Field<"tls1.2" | "tls1.3"> = v.pipe(
  withDefault(oneOf("tls1.0", "tls1.1", "tls1.2", "tls1.3"), "tls1.2"),
  v.transform((version) => (version === "tls1.3" ? version : "tls1.2")),
);

const suite: Field<string> = field("a cipher suite by its IANA name, such as TLS_AES_128_GCM_SHA256", ({ text }) =>
  CIPHER_SUITES.has(text) || DROPPED_SUITES.has(text) ? text : undefined,
);

const tls = alwaysThere({
  certificate: optionalText,
  key: optionalText,
  clientcas: listOf(text),
  clientauth: withDefault(
    oneOf(
      "request-client-cert",
      "require-any-client-cert",
      "verify-client-cert-if-given",
      "require-and-verify-client-cert",
    ),
    "require-and-verify-client-cert",
  ),
  minimumtls,
  ciphersuites: listOf(suite),
  letsencrypt: alwaysThere({
    cachefile: optionalText,
    email: optionalText,
    hosts: listOf(text),
    directoryurl: optionalText,
  }),
});

const debugAddress: Field<string> = field(
  "empty, <host>:<port> or :<port>, such as 127.0.0.1:5001, with a port up to 65535",
  ({ text }) => (addressProblem({ addr: text, net: "tcp" }) === undefined ? text : undefined),
);

const metricsPath: Field<string> = field(
  "a path that begins with a slash and is none of ours, such as /metrics",
  ({ text }) => (/^\/(?!debug\/(?:health|vars)$)[\w.~/-]*$/.test(text) ? text : undefined),
);

const net: Field<HttpConfig["net"]> = v.pipe(
  withDefault(
    field("tcp or unix", ({ text }) => (["", "tcp", "unix"].includes(text) ? text : undefined)),
    "tcp",
  ),
  v.transform((net) => (net === "unix" ? net : "tcp")),
);

const settings = alwaysThere({
  addr: withDefault(text, ""),
  net,
  prefix: withDefault(prefix, ""),
  host: withDefault(text, ""),
  secret: optionalText,
  relativeurls: withDefault(bool, false),
  draintimeout: withDefault(timer, 10_000),
  tls,
  headers,
  debug: alwaysThere({
    addr: withDefault(debugAddress, ""),
    prometheus: alwaysThere({ enabled: withDefault(bool, false), path: withDefault(metricsPath, "/metrics") }),
  }),
  http2: alwaysThere({ disabled: withDefault(bool, false) }),
  h2c: alwaysThere({ enabled: withDefault(bool, false) }),
});

export const http: Field<HttpConfig> = v.pipe(
  settings,
  v.rawCheck(({ dataset: { value }, addIssue }) => {
    const message = hasAddress(value) ? addressProblem(value) : undefined;
    if (message !== undefined) addIssue({ path: pathOf("addr"), message });
  }),
);

/** Also where other keys of the section are not accepted. */
function hasAddress(value: unknown): value is Pick<HttpConfig, "addr" | "net"> {
  const { addr, net } = (value ?? {}) as Partial<Record<keyof HttpConfig, unknown>>;
  return typeof addr === "string" && (net === "tcp" || net === "unix");
}
