import type { z } from "zod";
import { addressProblem } from "./address.ts";
import { CIPHER_SUITES, DROPPED_SUITES } from "./cipher-suites.ts";
import type { HttpConfig } from "./config.ts";
import { alwaysThere, bool, type Field, field, listOf, oneOf, optionalText, text, timer } from "./fields.ts";
import { headers } from "./headers.ts";

/** A path as it stands in a request, with nothing in it that is written in another way there. */
const prefix: Field<string> = field(
  "empty, or a plain path that begins and ends with a slash: /registry/",
  ({ text }) => (text === "" || /^\/(?:(?!\.{1,2}\/)[\w.~!$&'()*+,;=:@-]+\/)*$/.test(text) ? text : undefined),
);

/** The oldest two are raised to the oldest that is still sound. */
const minimumtls: z.ZodType<"tls1.2" | "tls1.3"> = oneOf("tls1.0", "tls1.1", "tls1.2", "tls1.3")
  .default("tls1.2")
  .transform((version) => (version === "tls1.3" ? version : "tls1.2"));

const suite: Field<string> = field("a cipher suite by its IANA name, such as TLS_AES_128_GCM_SHA256", ({ text }) =>
  CIPHER_SUITES.has(text) || DROPPED_SUITES.has(text) ? text : undefined,
);

const tls = alwaysThere({
  certificate: optionalText,
  key: optionalText,
  clientcas: listOf(text),
  clientauth: oneOf(
    "request-client-cert",
    "require-any-client-cert",
    "verify-client-cert-if-given",
    "require-and-verify-client-cert",
  ).default("require-and-verify-client-cert"),
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

export const http: z.ZodType<HttpConfig> = alwaysThere({
  addr: text.default(""),
  net: field("tcp or unix", ({ text }) => (["", "tcp", "unix"].includes(text) ? text : undefined))
    .default("tcp")
    .transform((net) => (net === "unix" ? net : "tcp")),
  prefix: prefix.default(""),
  host: text.default(""),
  secret: optionalText,
  relativeurls: bool.default(false),
  draintimeout: timer.default(10_000),
  tls,
  headers,
  debug: alwaysThere({
    addr: debugAddress.default(""),
    prometheus: alwaysThere({ enabled: bool.default(false), path: metricsPath.default("/metrics") }),
  }),
  http2: alwaysThere({ disabled: bool.default(false) }),
  h2c: alwaysThere({ enabled: bool.default(false) }),
}).superRefine(
  ({ addr, net }: Partial<HttpConfig>, context) => {
    const message = addr === undefined || net === undefined ? undefined : addressProblem({ addr, net });
    if (message !== undefined) context.addIssue({ code: "custom", path: ["addr"], message });
  },
  { when: ({ value }) => hasAddress(value) },
);

/** Also where other keys of the section are not accepted. */
function hasAddress(value: unknown): boolean {
  const { addr, net } = (value ?? {}) as Partial<Record<keyof HttpConfig, unknown>>;
  return typeof addr === "string" && (net === "tcp" || net === "unix");
}
