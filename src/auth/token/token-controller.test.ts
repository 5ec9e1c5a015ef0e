/** Tokens against keys in memory; advisories by their names. */
import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { requestWith } from "../../../test/support/access-request.ts";
import { anyText } from "../../../test/support/any-text.ts";
import { AUTHORITY, type Issued, issue, x5cOf } from "../../../test/support/certificates.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../test/support/temporary-folder.ts";
import {
  claimsOf,
  ISSUER,
  publicJwk,
  repository,
  SERVICE,
  sign,
  type TokenAccess,
  unsigned,
} from "../../../test/support/tokens.ts";
import { Unauthorized } from "../../oci/errors.ts";
import type { Access, AccessAction } from "../access.ts";
import type { Grant } from "../access-controller.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { idsOf } from "./key-ids.ts";
import type { KeySources } from "./key-sources.ts";
import { TokenController } from "./token-controller.ts";
import { joined, parseBundle, parseKeySet, type TrustedKeys } from "./trusted-keys.ts";

const PULL = needs("pull");

function needs(...actions: readonly AccessAction[]): readonly Access[] {
  return actions.map((action) => ({ type: "repository", name: "a/b", action }));
}

describe("the token controller", () => {
  let folder: TemporaryFolder;
  let root: Issued;
  let leaf: Issued;
  let keys: TrustedKeys;
  let refreshed: TrustedKeys | undefined;
  let now = Date.now();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const secret = createSecretKey(Buffer.alloc(64, 7));
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

  before(async () => {
    folder = await temporaryFolder("tokens");
    root = await issue(folder, "root", { extensions: [AUTHORITY] });
    leaf = await issue(folder, "leaf", { issuer: root });
    const jwks = {
      keys: [publicJwk(rsa.publicKey, { kid: "rsa" }), { ...secret.export({ format: "jwk" }), kid: "shared" }],
    };
    keys = joined(parseBundle(root.pem), parseKeySet(JSON.stringify(jwks), true));
    now = Date.now() + 3_600_000; // after all certificates begin
  });
  after(() => folder[Symbol.asyncDispose]());

  const open = (algorithms: readonly string[] = ALGORITHMS): TokenController =>
    new TokenController({
      realm: "https://auth.test/token",
      service: SERVICE,
      issuer: ISSUER,
      algorithms: new Set(algorithms),
      keys: {
        current: () => keys,
        refreshed: async () => {
          keys = refreshed ?? keys;
          return keys;
        },
      } as Partial<KeySources> as KeySources,
      now: () => now,
    });
  const ask = async (token: string, needed = PULL, controller = open()): Promise<Grant> =>
    await controller.authorize(requestWith(`Bearer ${token}`), needed);
  const refusal = async (token: string, needed = PULL, controller = open()): Promise<Unauthorized> => {
    try {
      await ask(token, needed, controller);
    } catch (error) {
      assert.ok(error instanceof Unauthorized, String(error));
      return error;
    }
    return assert.fail("it was let in");
  };
  const refuses = async (token: string): Promise<void> =>
    assert.match((await refusal(token)).challenge, /,error="invalid_token"$/);
  const claimsNow = (access: readonly TokenAccess[], more: Readonly<Record<string, unknown>> = {}): object =>
    claimsOf(access, { exp: now / 1000 + 300, nbf: now / 1000 - 10, ...more });
  const claims = (more: Readonly<Record<string, unknown>> = {}): object => claimsNow([repository("a/b", "pull")], more);
  const byLeaf = (): Promise<string> => sign(claims(), leaf, { x5c: x5cOf(leaf) });
  const byRsa = (header: object = { kid: "rsa" }): Promise<string> =>
    sign(claims(), { key: rsa.privateKey, alg: "RS256" }, { ...header });

  describe("challenges", () => {
    const cases: readonly (readonly [needed: readonly Access[], scope: string])[] = [
      [[], ""],
      [PULL, ',scope="repository:a/b:pull"'],
      [needs("pull", "push"), ',scope="repository:a/b:pull,push"'],
      [
        [...needs("pull", "push"), { type: "repository", name: "c", action: "pull" }],
        ',scope="repository:a/b:pull,push repository:c:pull"',
      ],
      [[{ type: "registry", name: "catalog", action: "*" }], ',scope="registry:catalog:*"'],
    ];
    const start = `Bearer realm="https://auth.test/token",service="${SERVICE}"`;

    for (const [needed, scope] of cases) {
      test(`without a token: ${scope}`, () => {
        for (const sent of [undefined, "", "Basic YTpi", "Bearer", "Bearer  x", "Bearer a b", "x"]) {
          assert.throws(
            () => open().authorize(requestWith(sent), needed),
            (error) => error instanceof Unauthorized && error.challenge === `${start}${scope}`,
            sent,
          );
        }
      });
    }

    test("a token that counts for nothing, and one that does not suffice", async () => {
      const wrong = `${start},scope="repository:a/b:pull",error="invalid_token"`;
      for (const sent of ["x", "", "a.b.c"]) assert.equal((await refusal(sent)).challenge, wrong);
      const scope = `${start},scope="repository:a/b:delete",error="insufficient_scope"`;
      assert.equal((await refusal(await byLeaf(), needs("delete"))).challenge, scope);
    });
  });

  describe("tokens that count", () => {
    test("are signed by a leaf below a root", async () => {
      const grant = await ask(await byLeaf());
      assert.equal(grant.user, "alice");
      assert.equal(grant.maySee, undefined);
      assert.equal(grant.mayPull?.("a/b" as never), true);
      assert.equal(grant.mayPull?.("a/c" as never), false);
    });

    test("name a root's key by each of its ids, or carry it", async () => {
      for (const kid of idsOf(root.certificate.publicKey)) {
        assert.ok(await ask(await sign(claims(), root, { kid })));
        assert.ok(await ask(await sign(claims(), root, { jwk: publicJwk(root.key, { kid }) })));
      }
      assert.ok(await ask(await sign(claims(), root, { jwk: publicJwk(root.key) })));
      assert.ok(await ask(await sign(claims(), leaf, { jwk: publicJwk(leaf.key, { x5c: x5cOf(leaf) }) })));
    });

    test("are signed with a key of a set, of whatever kind", async () => {
      for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]) {
        assert.ok(await ask(await sign(claims(), { key: rsa.privateKey, alg }, { kid: "rsa" })));
      }
      for (const alg of ["HS256", "HS384", "HS512"]) {
        assert.ok(await ask(await sign(claims(), { key: secret, alg }, { kid: "shared" })));
      }
    });

    test("come with the scheme in any case", async () => {
      assert.ok(await open().authorize(requestWith(`bEARER ${await byLeaf()}`), PULL));
    });

    test("without rights say who somebody is", async () => {
      const token = await sign(claimsNow([]), leaf, { x5c: x5cOf(leaf) });
      assert.equal((await ask(token, [])).user, "alice");
      await refusal(token);
    });

    test("grant push only together with pull, and anything with *", async () => {
      const of = (...actions: readonly string[]): Promise<string> =>
        sign(claimsNow([repository("a/b", ...actions)]), leaf, { x5c: x5cOf(leaf) });
      await refusal(await of("push"), needs("pull", "push"));
      assert.ok(await ask(await of("push", "pull"), needs("pull", "push")));
      assert.ok(await ask(await of("*"), needs("pull", "push", "delete")));
    });
  });

  describe("advisories", () => {
    test("CVE-2025-24976: a key that a token brings does not verify it, whatever it is called", async () => {
      const [kid = ""] = idsOf(root.certificate.publicKey);
      const own = { key: stranger };
      await refuses(await sign(claims(), own, { jwk: publicJwk(stranger, { kid }) }));
      await refuses(await sign(claims(), own, { jwk: publicJwk(stranger, { kid }), kid }));
      await refuses(await sign(claims(), own, { jwk: publicJwk(stranger) }));
      await refuses(await sign(claims(), own, { jwk: publicJwk(stranger, { kid: "rsa" }) }));
      await refuses(await sign(claims(), own, { jwk: publicJwk(root.key, { kid }) }));
      await refuses(await sign(claims(), own, { jwk: publicJwk(stranger, { x5c: x5cOf(leaf) }) }));
      await refuses(
        await sign(claims(), own, { jwk: publicJwk(stranger, { x5c: x5cOf(leaf, root) }), x5c: x5cOf(leaf) }),
      );
      await refuses(await sign(claims(), root, { jwk: publicJwk(stranger, { kid }) }));
      const oct = { kty: "oct", kid: "shared", k: Buffer.alloc(64).toString("base64url") };
      await refuses(await sign(claims(), { key: createSecretKey(Buffer.alloc(64)), alg: "HS256" }, { jwk: oct }));
    });

    test("alg none: no token is without a signature", async () => {
      for (const alg of ["none", "None", "NONE", "", undefined, null, 1]) {
        for (const header of [{ alg, kid: "rsa" }, { alg, x5c: x5cOf(leaf) }, { alg }]) {
          await refuses(unsigned(header, claims()));
          await refuses(unsigned(header, claims(), "AAAA"));
        }
      }
      await refuses(unsigned({ alg: "RS256", kid: "rsa" }, claims()));
      assert.match(
        (await refusal(unsigned({ alg: "none" }, claims()), PULL, open(["none"]))).challenge,
        /invalid_token/,
      );
    });

    test("HS and RS confusion: a public key is no shared secret", async () => {
      const { publicKey } = rsa;
      const texts: readonly (string | Buffer)[] = [
        publicKey.export({ format: "pem", type: "spki" }),
        publicKey.export({ format: "der", type: "spki" }),
        JSON.stringify(publicKey.export({ format: "jwk" })),
        root.pem,
      ];
      const [kid] = idsOf(root.certificate.publicKey);
      for (const text of texts) {
        const key = createSecretKey(Buffer.from(text));
        for (const header of [
          { kid: "rsa" },
          { kid },
          { x5c: x5cOf(leaf) },
          { jwk: publicJwk(publicKey, { kid: "rsa" }) },
        ]) {
          await refuses(await sign(claims(), { key, alg: "HS256" }, header));
        }
      }
    });

    test("GHSA-qg67-7m6v-qg25: the right to push is none to delete", async () => {
      const token = await sign(claimsNow([repository("a/b", "pull", "push")]), leaf, { x5c: x5cOf(leaf) });
      assert.ok(await ask(token, needs("pull", "push")));
      assert.match((await refusal(token, needs("delete"))).challenge, /insufficient_scope/);
    });

    test("x5c that does not lead to a root is final, whatever else the token names", async () => {
      const alone = await issue(folder, "alone");
      await refuses(await sign(claims(), alone, { x5c: x5cOf(alone) }));
      await refuses(await sign(claims(), root, { x5c: x5cOf(alone), kid: idsOf(root.certificate.publicKey)[0] }));
      await refuses(await byRsa({ kid: "rsa", x5c: [] }));
      await refuses(await byRsa({ kid: "rsa", x5c: null }));
      await refuses(await byRsa({ kid: "rsa", jwk: null }));
      await refuses(await sign(claims(), { key: stranger }, { x5c: x5cOf(leaf) }));
    });

    test("a header that has to be understood and is not", async () => {
      const header = { kid: "rsa", crit: ["odd"], odd: 1 };
      const signed = await byRsa();
      const [, payload, signature] = signed.split(".");
      await refuses(
        `${Buffer.from(JSON.stringify({ alg: "RS256", ...header })).toString("base64url")}.${payload}.${signature}`,
      );
    });
  });

  describe("tokens that do not count", () => {
    test("are of others, for others, out of time, or changed", async () => {
      for (const more of [
        { iss: "other" },
        { aud: "other" },
        { exp: 1 },
        { nbf: 4e9 },
        { exp: undefined },
        { access: 1 },
      ]) {
        await refuses(await sign(claims(more), leaf, { x5c: x5cOf(leaf) }));
      }
      await refuses(await sign("no JSON", leaf, { x5c: x5cOf(leaf) }));
      const [header, , signature] = (await byLeaf()).split(".");
      const more = Buffer.from(JSON.stringify(claimsNow([repository("a/b", "*")]))).toString("base64url");
      await refuses(`${header}.${more}.${signature}`);
    });

    test("are signed with an algorithm that the operator did not list", async () => {
      const some = open(["ES256"]);
      assert.ok(await ask(await byLeaf(), PULL, some));
      assert.match((await refusal(await byRsa(), PULL, some)).challenge, /invalid_token/);
    });

    test("are signed with an algorithm that their key does not name", async () => {
      const before = keys;
      keys = parseKeySet(JSON.stringify({ keys: [publicJwk(rsa.publicKey, { kid: "rsa", alg: "RS256" })] }), false);
      assert.ok(await ask(await byRsa()));
      await refuses(await sign(claims(), { key: rsa.privateKey, alg: "PS256" }, { kid: "rsa" }));
      keys = before;
    });

    test("are too long", async () => {
      await refuses(`${"a".repeat(64 * 1024)}.b.c`);
    });

    test("whatever comes, nothing but a refusal is thrown", async () => {
      const header = fc.record(
        {
          alg: fc.constantFrom("ES256", "RS256", "HS256", "none", "EdDSA"),
          kid: fc.oneof(fc.constantFrom("rsa", "shared", "constructor", "__proto__"), fc.string()),
          jwk: fc.oneof(
            fc.jsonValue(),
            fc.constant(publicJwk(stranger)),
            fc.record({ kty: fc.string(), x5c: fc.jsonValue() }),
          ),
          x5c: fc.oneof(
            fc.jsonValue(),
            fc.array(fc.base64String(), { maxLength: 12 }),
            fc.constant([root.certificate.raw.toString("base64")]),
          ),
          crit: fc.jsonValue(),
          b64: fc.boolean(),
        },
        { requiredKeys: [] },
      );
      const controller = open();
      await fc.assert(
        fc.asyncProperty(header, fc.jsonValue(), fc.base64String(), async (start, body, end) => {
          await refusal(unsigned(start, Object(body), end), PULL, controller);
        }),
        { numRuns: 300 },
      );
      await fc.assert(
        fc.asyncProperty(anyText, async (text) => {
          try {
            await controller.authorize(requestWith(`Bearer ${text}`), PULL);
          } catch (error) {
            return assert.ok(error instanceof Unauthorized);
          }
          assert.fail();
        }),
      );
    });
  });

  describe("verified tokens", () => {
    test("are known when they come again, until they expire", async () => {
      const controller = open();
      const token = await byRsa();
      assert.ok(controller.authorize(requestWith(`Bearer ${token}`), PULL) instanceof Promise);
      await ask(token, PULL, controller);
      const known = controller.authorize(requestWith(`Bearer ${token}`), PULL);
      assert.ok(!(known instanceof Promise));
      assert.throws(
        () => controller.authorize(requestWith(`Bearer ${token}`), needs("delete")),
        /authentication required/,
      );
      const before = now;
      now += 400_000;
      assert.match((await refusal(token, PULL, controller)).challenge, /invalid_token/);
      now = before;
    });

    test("end with the certificate that vouched for them", async () => {
      const brief = await issue(folder, "brief", { issuer: root, days: 1 });
      const token = await sign(claims({ exp: now / 1000 + 10 * 86_400 }), brief, { x5c: x5cOf(brief) });
      const controller = open();
      await ask(token, PULL, controller);
      const before = now;
      now += 2 * 86_400_000;
      assert.match((await refusal(token, PULL, controller)).challenge, /invalid_token/);
      now = before;
    });

    test("are forgotten when a key changes", async () => {
      const controller = open();
      const token = await byRsa();
      await ask(token, PULL, controller);
      const before = keys;
      keys = parseBundle(root.pem);
      assert.match((await refusal(token, PULL, controller)).challenge, /invalid_token/);
      keys = before;
      assert.ok(await ask(token, PULL, controller));
    });

    test("of a key that is new are verified once the keys were read again", async () => {
      const fresh: KeyObject = generateKeyPairSync("ed25519").privateKey;
      const token = await sign(claims(), { key: fresh, alg: "EdDSA" }, { kid: "fresh" });
      const before = keys;
      await refuses(token);
      refreshed = joined(keys, parseKeySet(JSON.stringify({ keys: [publicJwk(fresh, { kid: "fresh" })] }), false));
      assert.ok(await ask(token));
      [keys, refreshed] = [before, undefined];
    });
  });
});
