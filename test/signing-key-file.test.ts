/** `compatibility.schema1.signingkeyfile`, as a registry that is started with one has it. */
import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { openFilesystem } from "../src/storage/filesystem.ts";
import { RegistryClient } from "./support/registry-client.ts";
import { registryConfiguration, startRegistry } from "./support/registry-process.ts";
import { tryRun } from "./support/run.ts";
import {
  ecSigner,
  type FixtureSignature,
  fingerprintOf,
  rsaSigner,
  schema1Fields,
  verifiedPayload,
} from "./support/schema1-fixture.ts";
import { layDownSchema1 } from "./support/schema1-stored.ts";
import { type TemporaryFolder, temporaryFolder } from "./support/temporary-folder.ts";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");
const PAYLOAD = Buffer.from(JSON.stringify(schema1Fields(), null, 3));
const [P256, P384, RSA] = [ecSigner(), ecSigner("ES384"), rsaSigner()];

describe("a registry with a file for its signing key", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder("signing-key");
    const driver = await openFilesystem({ rootdirectory: folder.join("data") });
    await layDownSchema1(driver, { repository: "library/old", tag: "v1", payload: PAYLOAD });
    await driver[Symbol.asyncDispose]();
  });
  after(() => folder[Symbol.asyncDispose]());

  /** By whose key what is served is signed. */
  const signerOf = async (signingkeyfile: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const configuration = { compatibility: { schema1: { enabled: true, signingkeyfile } } };
    const options = { rootDirectory: folder.join("data"), configuration, env };
    await using registry = await startRegistry("wharfinger", options);
    const answer = await new RegistryClient(registry.url).request("library/old/manifests/v1");
    const body = Buffer.from(await answer.bytes());
    assert.deepEqual(verifiedPayload(body), PAYLOAD);
    const { signatures } = JSON.parse(body.toString()) as { readonly signatures: readonly FixtureSignature[] };
    assert.equal(signatures.length, 1);
    return signatures[0]?.header.jwk?.["kid"];
  };

  test("signs with it, written as JWK or as PEM", async () => {
    for (const [name, text, { publicKey }] of [
      ["key.json", JSON.stringify(P256.privateKey.export({ format: "jwk" })), P256],
      ["key.pem", P384.privateKey.export({ format: "pem", type: "sec1" }) as string, P384],
      ["rsa.pem", RSA.privateKey.export({ format: "pem", type: "pkcs1" }) as string, RSA],
    ] as const) {
      await writeFile(folder.join(name), text);
      assert.equal(await signerOf(folder.join(name)), fingerprintOf(publicKey), name);
    }
  });

  test("takes its path from the variable that the peers have for it", async () => {
    await writeFile(folder.join("named.json"), JSON.stringify(P256.privateKey.export({ format: "jwk" })));
    const env = { REGISTRY_COMPATIBILITY_SCHEMA1_TRUSTKEY: folder.join("named.json") };
    assert.equal(await signerOf(folder.join("none.json"), env), fingerprintOf(P256.publicKey));
  });

  const pem = pemOf(P256.privateKey);
  const jwk = P256.privateKey.export({ format: "jwk" });
  const unusable: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    [
      "is empty",
      "",
      /the signing key must be a JWK, or PEM with one of: EC PRIVATE KEY, RSA PRIVATE KEY, PRIVATE KEY$/,
    ],
    ["holds something else", "of no use", /must be a JWK, or PEM/],
    ["holds a public key", P256.publicKey.export({ format: "pem", type: "spki" }) as string, /must be a JWK, or PEM/],
    ["holds a JWK that was cut off", JSON.stringify(jwk).slice(0, -5), /the signing key must be a JSON object$/],
    ["holds a public JWK", JSON.stringify({ ...jwk, d: undefined }), /key/],
    [
      "holds two halves of two keys",
      JSON.stringify({ ...jwk, d: ecSigner().privateKey.export({ format: "jwk" }).d }),
      /key/,
    ],
    ["holds a PEM that was cut off", pem.replace(/(.{40})\n/, "\n"), /key/],
    ["is encrypted", encrypted(P256.privateKey), /the signing key is encrypted: expected one that is not$/],
    [
      "is encrypted as of old",
      pem.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"),
      /is encrypted/,
    ],
  ];
  for (const [what, text, reason] of unusable) {
    test(`does not start where that ${what}, and says so in one sentence without the secret`, async () => {
      const path = folder.join("bad.key");
      await writeFile(path, text);
      const said = await refusalOf(path);
      assert.match(said, reason);
      assert.ok(said.includes(`compatibility.schema1.signingkeyfile: ${path}: `), said);
      for (const secret of text.match(/[\w+/=-]{16,}/g) ?? []) assert.ok(!said.includes(secret), said);
    });
  }

  test("does not start where that is not there or is a folder", async () => {
    await mkdir(folder.join("a-folder"));
    for (const [name, reason] of [
      ["nowhere.json", /compatibility\.schema1\.signingkeyfile: cannot be read: ENOENT/],
      ["a-folder", /compatibility\.schema1\.signingkeyfile: cannot be read: EISDIR/],
    ] as const) {
      assert.match(await refusalOf(folder.join(name)), reason);
    }
  });

  /** @returns the sentence */
  const refusalOf = async (signingkeyfile: string): Promise<string> => {
    const config = folder.join("config.yml");
    const compatibility = { schema1: { enabled: true, signingkeyfile } };
    const nowhere = { net: "unix", addr: config }; // whatever starts does not stay
    const over = { compatibility, http: nowhere };
    await writeFile(config, stringify(registryConfiguration(folder.join("data"), 0, over)));
    const { exitCode, stderr } = await tryRun(process.execPath, [MAIN, "serve", config]);
    assert.equal(exitCode, 1, stderr);
    const [, said] = /^configuration error: (.*)\n$/.exec(stderr) ?? assert.fail(stderr);
    return said ?? "";
  };
});

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "sec1" }) as string;
}

function encrypted(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "of a test" }) as string;
}
