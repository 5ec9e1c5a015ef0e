/** A real S3 server behind TLS and behind a proxy. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:tls";
import { PATIENCE } from "../../src/storage/s3/client.ts";
import { openS3 } from "../../src/storage/s3.ts";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { type Configuration, startRegistry } from "../support/registry-process.ts";
import { bulkyImage } from "../support/samples.ts";
import { type SelfSigned, selfSigned } from "../support/self-signed.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { type Gateway, type GatewayParameters, gatewayParameters, startGateway } from "../support/versitygw.ts";

let gateway: Gateway;
let tls: TlsFront;
let folder: TemporaryFolder;
let certificate: string;
before(async () => {
  gateway = await startGateway();
  const files = await selfSigned(["DNS:s3.test", "IP:127.0.0.1"]);
  tls = await startTlsFront(gateway.port, files);
  folder = await temporaryFolder("network");
  certificate = folder.join("ca.pem");
  await writeFile(certificate, files.cert);
});
after(async () => {
  for (const one of [tls, gateway, folder]) await one[Symbol.asyncDispose]();
});

const over = (host: string, more: GatewayParameters = {}): GatewayParameters =>
  gatewayParameters(0, { ...more, regionendpoint: `https://${host}:${tls.port}` });

describe("S3 behind TLS", () => {
  test("with a certificate that nobody knows is used where it need not be verified", async () => {
    await using driver = await openS3(over("127.0.0.1", { skipverify: true }));
    await driver.putContent("/object", Buffer.from("some bytes"));
    assert.equal(Buffer.from(await driver.getContent("/object")).toString(), "some bytes");
    assert.match((await driver.redirectUrl("/object", { method: "GET" }))?.href ?? "", /^https:\/\/127\.0\.0\.1:/);
  });

  test("with a certificate that nobody knows is not used otherwise, which is told in one sentence", async () => {
    await assert.rejects(openS3(over("127.0.0.1"), { patience: { ...PATIENCE, attempts: 1 } }), {
      name: "StorageError",
      message: "s3: cannot use the bucket s3://registry/: ListObjectsV2 failed: DEPTH_ZERO_SELF_SIGNED_CERT",
    });
  });

  for (const variable of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
    test(`is used by a program that was told of the certificate by ${variable}`, async () => {
      await serves({ [variable]: certificate }, over("127.0.0.1", { rootdirectory: variable }));
    });
  }
});

describe("a program whose environment names a proxy", () => {
  let proxy: ForwardProxy;
  before(async () => {
    proxy = await startForwardProxy();
  });
  after(() => proxy[Symbol.asyncDispose]());

  test("sends everything for S3 through it, in tunnels for HTTPS", async () => {
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NODE_EXTRA_CA_CERTS: certificate };
    await serves(env, over("s3.test", { rootdirectory: "tunnel" }));
    assert.deepEqual([...new Set(proxy.asked)], [`CONNECT s3.test:${tls.port}`]);
  });

  test("sends everything for S3 through it by HTTP", async () => {
    const parameters = gatewayParameters(0, {
      rootdirectory: "plain",
      regionendpoint: `http://s3.test:${gateway.port}`,
    });
    await serves({ http_proxy: `127.0.0.1:${proxy.port}` }, parameters);
    assert.ok(proxy.asked.some((line) => line.startsWith(`PUT http://s3.test:${gateway.port}/registry/plain/docker/`)));
  });
});

/** Pushes an image and pulls it again. */
async function serves(env: Readonly<Record<string, string>>, parameters: GatewayParameters): Promise<void> {
  const configuration: Configuration = { storage: { redirect: { disable: true } } };
  const driver = { s3: parameters };
  const options = {
    rootDirectory: "in a bucket",
    configuration,
    driver,
    env: { HTTP_PROXY: "", HTTPS_PROXY: "", ...env },
  };
  await using registry = await startRegistry("wharfinger", options);
  const http = new RegistryClient(registry.url);
  const image = bulkyImage(1000, 2);
  await http.push("a", "v1", image);
  await http.expectImage("a", "v1", image);
}

interface TlsFront extends AsyncDisposable {
  readonly port: number;
}

/** Ends TLS before a server that speaks without. */
async function startTlsFront(target: number, files: SelfSigned): Promise<TlsFront> {
  const ends = new Set<() => void>();
  const server = createServer(files, (client) => {
    const inner = connect(target, "127.0.0.1");
    const end = (): void => {
      inner.destroy();
      client.destroy();
    };
    ends.add(end);
    for (const socket of [client, inner]) socket.on("error", end).on("close", end);
    client.pipe(inner).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end();
      server.close();
      await once(server, "close");
    },
  };
}
