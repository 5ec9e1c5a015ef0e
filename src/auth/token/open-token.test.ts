import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { requestWith } from "../../../test/support/access-request.ts";
import { issue } from "../../../test/support/certificates.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { claimsOf, ISSUER, publicJwk, SERVICE, sign } from "../../../test/support/tokens.ts";
import { Unauthorized } from "../../oci/errors.ts";
import type { AccessController, AccessRequest } from "../access-controller.ts";
import { openToken, type TokenPlaces } from "./open-token.ts";

const keyOf = (kid: string): { readonly key: KeyObject; readonly set: string } => {
  const { privateKey: key } = generateKeyPairSync("ed25519");
  return { key, set: JSON.stringify({ keys: [publicJwk(key, { kid })] }) };
};

async function open(more: Partial<TokenPlaces>): Promise<AccessController> {
  const places = { realm: "https://auth.test/token", service: SERVICE, issuer: ISSUER, autoredirect: false };
  return await openToken({ ...places, signingalgorithms: [], ...more }, () => undefined);
}

async function challenge(access: AccessController, request: AccessRequest): Promise<string> {
  try {
    await access.authorize(request, []);
  } catch (error) {
    if (error instanceof Unauthorized) return error.challenge;
  }
  return assert.fail("it was let in");
}

describe("a token controller of a configuration", () => {
  test("takes new keys from a file that is replaced, and the old ones no longer", async () => {
    await using folder = await temporaryFolder("jwks");
    const jwks = folder.join("jwks.json");
    const [one, two] = [keyOf("one"), keyOf("two")];
    await writeFile(jwks, one.set);
    await using access = await open({ jwks });
    const ask = async (key: KeyObject, kid: string): Promise<string> => {
      const token = await sign(claimsOf([]), { key, alg: "EdDSA" }, { kid });
      return (await access.authorize(requestWith(`Bearer ${token}`), [])).user;
    };
    assert.equal(await ask(one.key, "one"), "alice");
    await assert.rejects(ask(two.key, "two"), Unauthorized);
    await writeFile(jwks, two.set);
    assert.equal(await ask(two.key, "two"), "alice");
    await assert.rejects(ask(one.key, "one"), Unauthorized);
  });

  test("SSRF: takes keys from a URL, and follows it nowhere else", async () => {
    const one = keyOf("one");
    let status = 200;
    const server = createServer((request, response) => {
      if (request.url === "/elsewhere") response.end(one.set);
      else response.writeHead(status, { location: "/elsewhere" }).end(one.set);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    const token = await sign(claimsOf([]), { key: one.key, alg: "EdDSA" }, { kid: "one" });
    try {
      await using access = await open({ jwks });
      assert.equal((await access.authorize(requestWith(`Bearer ${token}`), [])).user, "alice");
      status = 302;
      await using other = await open({ jwks });
      await assert.rejects(async () => await other.authorize(requestWith(`Bearer ${token}`), []), /unavailable/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("stops the start where a file cannot be used, and quotes none", async () => {
    await using folder = await temporaryFolder("jwks");
    const path = folder.join("file");
    await assert.rejects(open({ jwks: path }), /ENOENT/);
    await writeFile(path, "secret");
    for (const places of [{ jwks: path }, { rootcertbundle: path }]) {
      await assert.rejects(open(places), (error: Error) => !error.message.includes("secret"));
    }
  });

  test("sends clients to the name they came by where it is asked to", async () => {
    await using folder = await temporaryFolder("bundle");
    const { certificatePath: rootcertbundle } = await issue(folder, "root");
    const realmFor = async (more: Partial<TokenPlaces>, request: Partial<AccessRequest> = {}): Promise<string> => {
      await using access = await open({ rootcertbundle, ...more });
      return /realm="([^"]*)"/.exec(await challenge(access, { ...requestWith(), ...request }))?.[1] ?? "";
    };
    const forwarded = requestWith(undefined, { "x-forwarded-proto": "http" });
    assert.equal(await realmFor({}), "https://auth.test/token");
    assert.equal(await realmFor({ autoredirect: true }), "https://registry.test/auth/token");
    assert.equal(await realmFor({ autoredirect: true, autoredirectpath: "/token" }), "https://registry.test/token");
    assert.equal(await realmFor({ autoredirect: true }, { ...forwarded }), "http://registry.test/auth/token");
    assert.equal(await realmFor({ autoredirect: true }, { base: () => "/" }), "https://registry.test/auth/token");
    const nameless = { headers: {}, base: () => "/" };
    assert.equal(await realmFor({ autoredirect: true }, nameless), "https://auth.test/token");
    const odd = { headers: { host: "a b" }, base: () => "/" };
    assert.equal(await realmFor({ autoredirect: true }, odd), "https://auth.test/token");
  });
});
