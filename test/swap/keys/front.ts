import type { Group } from "./effect.ts";
import type { Place } from "./place.ts";
import type { Seen } from "./seen.ts";

const SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"];

/** TLS, and who is let in. */
export function frontGroups(place: Place): readonly Group[] {
  const { certificate, key } = place.server;
  const token = {
    ...{ realm: "https://auth.example/token", service: "registry.test", issuer: "issuer.test" },
    rootcertbundle: place.bundle,
  };
  const byToken = (r: Seen): Promise<readonly unknown[]> =>
    Promise.all([r.securely({}), r.securely({ token: place.token })]);
  const challenge = `Bearer realm="${token.realm}",service="${token.service}"`;
  return [
    {
      name: "passwords, and certificates of clients",
      effects: [
        {
          key: "http.tls.certificate",
          value: certificate,
          seen: (r) => r.certificate(place.client),
          expected: place.fingerprint,
        },
        { key: "http.tls.key", value: key, seen: (r) => r.certificate(place.client), expected: place.fingerprint },
        {
          key: "http.tls.clientcas[]",
          value: [place.clientCa],
          seen: async (r) => [(await r.handshake({})).problem, (await r.handshake({ client: place.client })).problem],
          expected: [true, false],
        },
        {
          key: "http.tls.ciphersuites[]",
          value: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
          seen: (r) =>
            Promise.all(SUITES.map(async (suite) => (await r.handshake({ client: place.client, suite })).problem)),
          expected: [true, false],
        },
        {
          key: "http.http2.disabled",
          value: true,
          seen: async (r) => (await r.handshake({ client: place.client, protocols: ["h2", "http/1.1"] })).protocol,
          expected: "http/1.1",
        },
        {
          key: "auth.htpasswd.realm",
          value: "people",
          seen: (r) => r.securely({ client: place.client }),
          expected: [401, 'Basic realm="people"'],
        },
        {
          key: "auth.htpasswd.path",
          value: place.users,
          seen: (r) => r.securely({ client: place.client, password: "alice:secret" }),
          expected: [200, null],
        },
      ],
    },
    {
      name: "tokens, by TLS 1.3 alone",
      base: { http: { tls: { certificate, key } } },
      effects: [
        {
          key: "http.tls.minimumtls",
          value: "tls1.3",
          seen: async (r) => [(await r.handshake({ newest: "TLSv1.2" })).problem, (await r.handshake({})).problem],
          expected: [true, false],
        },
        ...Object.entries(token).map(([name, value]) => ({
          ...{ key: `auth.token.${name}`, value, seen: byToken },
          expected: [
            [401, challenge],
            [200, null],
          ],
        })),
      ],
    },
    {
      name: "tokens of the host by which the client came",
      base: { auth: { token } },
      effects: [
        {
          key: "auth.token.autoredirect",
          value: true,
          seen: async (r) => (await r.challenge())?.replace(/:\d+/, ""),
          expected: 'Bearer realm="https://127.0.0.1/auth/token",service="registry.test"',
        },
      ],
    },
  ];
}
