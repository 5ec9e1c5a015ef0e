/** The same requests with the same credentials against Debian's docker-registry and against us. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { bcrypt } from "hash-wasm";
import { keyIdOf } from "../../src/oci/schema1/key-id.ts";
import { unlessDebian } from "../setup.ts";
import { basic } from "../support/access-request.ts";
import { AUTHORITY, type Issued, issue, x5cOf } from "../support/certificates.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { claimsOf, ISSUER, publicJwk, repository, SERVICE, sign, unsigned } from "../support/tokens.ts";

interface Case {
  readonly what: string;
  readonly authorization?: string | undefined;
  readonly method?: string;
  /** `/v2/` when not given. */
  readonly path?: string;
  /** Why ours is another answer, where it is. */
  readonly otherwise?: string;
}

interface Answer {
  readonly status: number;
  readonly challenge: string;
  readonly body: string;
}

const SKIP = unlessDebian("docker-registry");

/** Runs each case against both. A difference is only accepted where a reason stands, and then there has to be one. */
function compares(name: string, prepare: (folder: TemporaryFolder) => Promise<[Configuration, readonly Case[]]>): void {
  describe(name, { skip: SKIP }, () => {
    const stack = new AsyncDisposableStack();
    let cases: readonly Case[] = [];
    let peer: RegistryProcess;
    let ours: RegistryProcess;

    before(async () => {
      const folder = stack.use(await temporaryFolder("side-by-side"));
      const [auth, made] = await prepare(folder);
      cases = made;
      const start = async (kind: "docker-registry" | "wharfinger"): Promise<RegistryProcess> =>
        stack.use(await startRegistry(kind, { rootDirectory: folder.join(kind), configuration: { auth } }));
      peer = await start("docker-registry");
      ours = await start("wharfinger");
    });
    after(() => stack.disposeAsync());

    test("answers every request as docker-registry does, but where a reason says otherwise", async () => {
      const [unexpected, outdated]: [unknown[], string[]] = [[], []];
      for (const one of cases) {
        const [theirs, our] = [await send(peer, one), await send(ours, one)];
        const isSame = isDeepStrictEqual(our, theirs);
        if (one.otherwise ? isSame : !isSame) {
          if (isSame) outdated.push(one.what);
          else unexpected.push({ what: one.what, theirs, our });
        }
      }
      assert.deepEqual(unexpected, []);
      assert.deepEqual(outdated, [], "these are no longer different");
    });

    test("tells its log why somebody was not let in, and nothing of what they sent", () => {
      assert.match(ours.log, /level=warning msg="error authorizing context: /);
      for (const { authorization } of cases) {
        const sent = authorization?.split(" ")[1];
        if (sent && sent.length > 8) assert.ok(!ours.log.includes(sent), sent);
      }
    });
  });
}

async function send(
  registry: RegistryProcess,
  { authorization, method = "GET", path = "/v2/" }: Case,
): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await fetch(`${registry.url}${path}`, { method, headers, redirect: "manual" });
  const text = await answer.text();
  return {
    status: answer.status,
    challenge: toComparable(answer.headers.get("www-authenticate") ?? ""),
    body: answer.status === 401 ? text : "", // others are another suite's
  };
}

/** Debian's registry gives several resources, and the actions of one, in any order. */
function toComparable(challenge: string): string {
  return challenge.replace(/scope="([^"]*)"/, (_, scopes: string) => {
    const sorted = scopes.split(" ").map((scope) => {
      const [, resource = "", actions = ""] = /^(.*:)([^:]*)$/.exec(scope) ?? [];
      return resource + actions.split(",").sort().join(",");
    });
    return `scope="${sorted.sort().join(" ")}"`;
  });
}

const PATHS: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/v2/"],
  ["GET", "/v2/_catalog"],
  ["GET", "/v2/g/one/tags/list"],
  ["HEAD", "/v2/g/one/manifests/v1"],
  ["PUT", "/v2/g/one/manifests/v1"],
  ["DELETE", `/v2/g/one/manifests/sha256:${"a".repeat(64)}`],
  ["GET", `/v2/g/one/blobs/sha256:${"a".repeat(64)}`],
  ["DELETE", `/v2/g/one/blobs/sha256:${"a".repeat(64)}`],
  ["POST", "/v2/g/one/blobs/uploads/"],
  ["POST", `/v2/g/one/blobs/uploads/?mount=sha256:${"a".repeat(64)}&from=lib/x`],
  ["GET", "/v2/g/one/tags/list?from=lib/x"],
  ["GET", "/v2/nowhere"],
];

/** Of nobody. */
const LACKING: readonly Case[] = [
  ["DELETE", "/v2/g/one/tags/list"],
  ["POST", "/v2/_catalog"],
  ["OPTIONS", "/v2/"],
].map(([method = "", path = ""]) => ({
  ...{ what: `nobody: ${method} ${path}`, method, path },
  otherwise: "2.8 asks who it is before it looks whether the route has the method; there is nothing to protect",
}));

compares("htpasswd", async (folder) => {
  const hash = (password: string, letter: string): Promise<string> =>
    bcrypt({ password, salt: Buffer.alloc(16, letter), costFactor: 5, outputType: "encoded" });
  const long = "long ".repeat(20);
  const lines = [
    "# a comment",
    `alice:${await hash("secret", "a")}`,
    `bob:${(await hash("pässwort", "b")).replace("$2a$", "$2y$")}`,
    `long:${await hash(long.slice(0, 72), "c")}`,
    `old:$apr1$abcdefgh$0123456789012345678901`,
    `twice:${await hash("first", "d")}`,
    `twice:${await hash("second", "e")}`,
    `mute:${await hash("x", "f")}`,
  ];
  await writeFile(folder.join("htpasswd"), `${lines.join("\n")}\n`);
  const cases: Case[] = [
    ...PATHS.map(([method, path]) => ({ what: `nobody: ${method} ${path}`, method, path })),
    ...LACKING,
    { what: "right", authorization: basic("alice", "secret") },
    { what: "right again", authorization: basic("alice", "secret"), path: "/v2/g/one/tags/list" },
    { what: "wrong", authorization: basic("alice", "Secret") },
    { what: "empty", authorization: basic("alice", "") },
    { what: "unknown", authorization: basic("carol", "secret") },
    { what: "in UTF-8", authorization: basic("bob", "pässwort") },
    { what: "in Latin-1", authorization: basic("bob", Buffer.from("pässwort", "latin1")) },
    { what: "72 bytes", authorization: basic("long", long.slice(0, 72)) },
    { what: "more than 72 bytes", authorization: basic("long", long) },
    { what: "71 bytes", authorization: basic("long", long.slice(0, 71)) },
    { what: "a hash that is not bcrypt's", authorization: basic("old", "secret") },
    { what: "the first of two entries", authorization: basic("twice", "first") },
    { what: "the second of two entries", authorization: basic("twice", "second") },
    { what: "another scheme", authorization: "Bearer abc" },
    { what: "no base64", authorization: "Basic ???" },
    { what: "no colon", authorization: `Basic ${Buffer.from("alice").toString("base64")}` },
    { what: "scheme in another case", authorization: basic("alice", "secret").replace("Basic", "bASIC") },
  ];
  return [{ htpasswd: { realm: 'the "realm" \\', path: folder.join("htpasswd") } }, cases];
});

compares("token", async (folder) => {
  const root = await issue(folder, "root", { extensions: [AUTHORITY] });
  const middle = await issue(folder, "middle", { issuer: root, extensions: [AUTHORITY] });
  const leaf = await issue(folder, "leaf", { issuer: middle });
  const rsa = await issue(folder, "rsa", { newKey: ["rsa:2048"] });
  await writeFile(folder.join("bundle.pem"), root.pem + rsa.pem);
  const cases = [
    ...PATHS.map(([method, path]) => ({ what: `nobody: ${method} ${path}`, method, path })),
    ...LACKING,
    ...(await ofClaims(root)),
    ...(await ofHeaders(root, middle, leaf, rsa)),
    ...(await ofRights(root)),
  ];
  const rootcertbundle = folder.join("bundle.pem");
  return [{ token: { realm: "https://auth.test/token", service: SERVICE, issuer: ISSUER, rootcertbundle } }, cases];
});

const RIGHT = [repository("g/one", "pull", "push")];

async function ofClaims(root: Issued): Promise<Case[]> {
  const now = Math.floor(Date.now() / 1000);
  const kid = keyIdOf(root.certificate.publicKey);
  const table: readonly (readonly [what: string, more: Readonly<Record<string, unknown>>, otherwise?: string])[] = [
    ["as it should be", {}],
    ["another issuer", { iss: "other" }],
    ["another service", { aud: "other" }],
    ["several services", { aud: ["other", SERVICE] }, "3.x takes a list as well"],
    ["no service", { aud: undefined }],
    ["long expired", { exp: now - 1000 }],
    ["expired lately", { exp: now - 30 }],
    ["without an end", { exp: undefined }],
    ["not yet", { nbf: now + 1000 }],
    ["almost", { nbf: now + 30 }],
    ["without a beginning", { nbf: undefined }],
    ["of nobody", { sub: "" }],
    ["a user that is no text", { sub: 1 }],
    ["access null", { access: null }],
    ["access of another kind", { access: "all" }],
    ["an entry of another kind", { access: [1] }],
    ["actions of another kind", { access: [{ type: "repository", name: "g/one", actions: "pull" }] }],
    ["without an id", { jti: undefined, iat: undefined }],
  ];
  return await Promise.all(
    table.map(async ([what, more, otherwise]) => ({
      what: `claims: ${what}`,
      authorization: `Bearer ${await sign(claimsOf(RIGHT, more), root, { kid })}`,
      path: "/v2/g/one/blobs/uploads/",
      method: "PUT",
      ...(otherwise && { otherwise }),
    })),
  );
}

async function ofHeaders(root: Issued, middle: Issued, leaf: Issued, rsa: Issued): Promise<Case[]> {
  const stranger = { key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey };
  const kid = keyIdOf(root.certificate.publicKey);
  const claims = claimsOf(RIGHT);
  const signed = async (with_: Parameters<typeof sign>[1], header: object): Promise<string> =>
    `Bearer ${await sign(claims, with_, { ...header })}`;
  const good = await signed(root, { kid });
  const table: readonly (readonly [what: string, authorization: string, otherwise?: string])[] = [
    ["kid of 2.x", good],
    ["scheme in another case", good.replace("Bearer", "BEARER")],
    ["two blanks", good.replace(" ", "  ")],
    ["a damaged signature", `${good.slice(0, -6)}AAAAAA`],
    ["cut", good.slice(0, good.lastIndexOf("."))],
    ["nonsense", "Bearer nonsense"],
    ["empty", "Bearer "],
    ["Basic", basic("alice", "secret")],
    ["another kid", await signed(root, { kid: "x" })],
    ["no key named", await signed(root, {})],
    ["jwk", await signed(root, { jwk: publicJwk(root.key, { kid }) })],
    [
      "jwk of a stranger",
      await signed(stranger, { jwk: publicJwk(stranger.key, { kid: keyIdOf(createPublicKey(stranger.key)) }) }),
    ],
    ["jwk of a stranger called as ours", await signed(stranger, { jwk: publicJwk(stranger.key, { kid }) })],
    ["x5c", await signed(leaf, { x5c: x5cOf(leaf, middle) })],
    ["x5c in another order", await signed(leaf, { x5c: x5cOf(middle, leaf) })],
    ["x5c without the one between", await signed(leaf, { x5c: x5cOf(leaf) })],
    ["x5c of a root", await signed(root, { x5c: x5cOf(root) })],
    ["x5c empty, kid right", await signed(root, { kid, x5c: [] }), "x5c that is there decides, however wrong"],
    ["x5c wrong, kid right", await signed(root, { kid, x5c: ["x"] })],
    ["alg none", `Bearer ${unsigned({ alg: "none", kid }, claims)}`],
    ["RS256", await signed({ key: rsa.key, alg: "RS256" }, { kid: keyIdOf(rsa.certificate.publicKey) })],
    ["RS512", await signed({ key: rsa.key, alg: "RS512" }, { kid: keyIdOf(rsa.certificate.publicKey) })],
    [
      "PS256",
      await signed({ key: rsa.key, alg: "PS256" }, { kid: keyIdOf(rsa.certificate.publicKey) }),
      "3.x takes PS algorithms as well",
    ],
  ];
  return table.map(([what, authorization, otherwise]) => ({
    what: `header: ${what}`,
    authorization,
    path: "/v2/g/one/blobs/uploads/",
    method: "PUT",
    ...(otherwise && { otherwise }),
  }));
}

async function ofRights(root: Issued): Promise<Case[]> {
  const kid = keyIdOf(root.certificate.publicKey);
  const grants = {
    nothing: [],
    pull: [repository("g/one", "pull")],
    push: [repository("g/one", "push")],
    both: RIGHT,
    "in two entries": [repository("g/one", "pull"), repository("g/one", "push")],
    delete: [repository("g/one", "delete")],
    everything: [repository("g/one", "*")],
    "another repository": [repository("g/two", "*")],
    "a prefix": [repository("g", "*")],
    "of plugins": [{ ...repository("g/one", "*"), class: "plugin" }],
    "both repositories": [...RIGHT, repository("lib/x", "pull")],
    catalog: [{ type: "registry", name: "catalog", actions: ["*"] }],
  };
  const cases: Case[] = [];
  for (const [name, access] of Object.entries(grants)) {
    const authorization = `Bearer ${await sign(claimsOf(access), root, { kid })}`;
    for (const [method, path] of PATHS) {
      if (path.includes("/blobs/uploads/") || method === "PUT") continue; // what they begin has names of their own
      cases.push({ what: `rights: ${name}: ${method} ${path}`, authorization, method, path });
    }
    cases.push({ what: `rights: ${name}: PUT`, authorization, method: "PUT", path: "/v2/g/one/blobs/uploads/" });
    const mounted = "/v2/g/one/blobs/uploads/?from=lib/x";
    cases.push({ what: `rights: ${name}: PUT from`, authorization, method: "PUT", path: mounted });
  }
  return cases;
}
