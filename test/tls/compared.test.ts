/** What `http.tls` lets in, here and in Debian's registry. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import { unlessDebian } from "../setup.ts";
import { Authority } from "../support/authority.ts";
import { type RegistryKind, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

type Outcome = "served" | "refused";

/** Whether a request over such a connection is answered. */
function outcome(port: number, options: ConnectionOptions): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...options,
  });
  socket.on("error", () => resolve("refused")).on("close", () => resolve("refused"));
  socket.on("data", () => {
    resolve("served");
    socket.destroy();
  });
  socket.write("GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return promise;
}

async function place(): Promise<
  AsyncDisposable & {
    readonly tls: Record<string, string | string[]>;
    readonly clients: Clients;
    join(name: string): string;
  }
> {
  const folder = await temporaryFolder("tls");
  const [ours, theirs] = [await Authority.make(folder, "ours"), await Authority.make(folder, "theirs")];
  const server = await ours.sign("server");
  return {
    tls: { certificate: server.certPath, key: server.keyPath, clientcas: [ours.path] },
    clients: { none: {}, known: await ours.sign("known"), unknown: await theirs.sign("unknown") },
    join: (name) => folder.join(name),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

type Clients = Readonly<Record<"none" | "known" | "unknown", ConnectionOptions>>;

const KINDS: readonly RegistryKind[] = ["wharfinger", "docker-registry"];

for (const kind of KINDS) {
  describe(`http.tls in ${kind}`, { skip: kind === "docker-registry" && unlessDebian("docker-registry") }, () => {
    for (const [clientauth, expected] of [
      [undefined, ["refused", "served", "refused"]],
      ["request-client-cert", ["served", "served", "served"]],
      ["require-any-client-cert", ["refused", "served", "served"]],
      ["verify-client-cert-if-given", ["served", "served", "refused"]],
      ["require-and-verify-client-cert", ["refused", "served", "refused"]],
    ] as const) {
      test(`lets clients in by clientauth ${clientauth ?? "(not set)"}`, {
        skip: kind === "docker-registry" && clientauth !== undefined && "it is a key of 3.x",
      }, async () => {
        await using at = await place();
        const tls = { ...at.tls, ...(clientauth && { clientauth }) };
        await using registry = await startRegistry(kind, {
          rootDirectory: at.join("data"),
          configuration: { http: { tls } },
        });
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          const outcomes = await Promise.all(
            [at.clients.none, at.clients.known, at.clients.unknown].map(({ cert, key }) =>
              outcome(registry.port, { ...(cert && key ? { cert, key } : {}), maxVersion }),
            ),
          );
          assert.deepEqual(outcomes, expected, maxVersion);
        }
      });
    }

    for (const [minimumtls, maxVersion, expected] of [
      ["tls1.2", "TLSv1.1", "refused"],
      ["tls1.2", "TLSv1.2", "served"],
      ["tls1.3", "TLSv1.2", "refused"],
      ["tls1.3", "TLSv1.3", "served"],
    ] as const) {
      test(`with minimumtls ${minimumtls} a client of ${maxVersion} is ${expected}`, async () => {
        await using at = await place();
        const { certificate = "", key = "" } = at.tls;
        const configuration = { http: { tls: { certificate, key, minimumtls } } };
        await using registry = await startRegistry(kind, { rootDirectory: at.join("data"), configuration });
        const minVersion = maxVersion === "TLSv1.1" ? "TLSv1.1" : "TLSv1.2";
        const ciphers = "DEFAULT@SECLEVEL=0";
        assert.equal(await outcome(registry.port, { minVersion, maxVersion, ciphers }), expected);
      });
    }

    test("with ciphersuites offers those of TLS 1.2, and TLS 1.3 as ever", async () => {
      await using at = await place();
      const { certificate = "", key = "" } = at.tls;
      const tls = { certificate, key, ciphersuites: ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"] };
      await using registry = await startRegistry(kind, {
        rootDirectory: at.join("data"),
        configuration: { http: { tls } },
      });
      const asked = (ciphers: string, maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<Outcome> =>
        outcome(registry.port, { ciphers, maxVersion });
      assert.equal(await asked("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2"), "served");
      assert.equal(await asked("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2"), "refused");
      assert.equal(await asked("TLS_AES_128_GCM_SHA256", "TLSv1.3"), "served");
    });

    test("offers HTTP/2 in the handshake unless http2.disabled", async () => {
      await using at = await place();
      const { certificate = "", key = "" } = at.tls;
      for (const disabled of [false, true]) {
        const configuration = { http: { tls: { certificate, key }, http2: { disabled } } };
        await using registry = await startRegistry(kind, { rootDirectory: at.join("data"), configuration });
        const socket = connect({
          port: registry.port,
          host: "127.0.0.1",
          rejectUnauthorized: false,
          ALPNProtocols: ["h2", "http/1.1"],
        });
        await new Promise((resolve) => socket.once("secureConnect", resolve));
        assert.equal(socket.alpnProtocol, disabled ? "http/1.1" : "h2");
        socket.destroy();
      }
    });
  });
}
