import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bcrypt } from "hash-wasm";
import type { AccessController } from "../../src/auth/access-controller.ts";
import { importNamed } from "../../src/named-module.ts";
import { openOwnAccess } from "../../src/own-access.ts";
import { openAccess } from "../../src/parts.ts";
import { accessContract } from "../contract/access-controller.ts";
import { basic } from "../support/access-request.ts";
import { issue } from "../support/certificates.ts";
import { claimsOf, ISSUER, publicJwk, repository, SERVICE, sign } from "../support/tokens.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

async function open(auth: Parameters<typeof openAccess>[0]): Promise<AccessController> {
  const controller = await openAccess(auth, { warn: () => undefined, folder: EXAMPLES, isStart: true });
  if (!controller) throw new Error("there is no access controller");
  return controller;
}

accessContract("silly", async () => ({
  open: () => open({ silly: { realm: "r", service: "s" } }),
  good: () => "whatever",
  user: "silly",
  bad: [],
}));

accessContract("htpasswd", async (folder) => {
  const path = folder.join("htpasswd");
  const hash = await bcrypt({ password: "secret", salt: randomBytes(16), costFactor: 5, outputType: "encoded" });
  await writeFile(path, `me:${hash}\n`);
  return {
    open: () => open({ htpasswd: { realm: "r", path } }),
    good: () => basic("me", "secret"),
    user: "me",
    bad: [basic("me", "wrong"), basic("you", "secret"), basic("", ""), "Bearer x", "Basic"],
  };
});

accessContract("token", async (folder) => {
  const signer = await issue(folder, "signer");
  const stranger = await issue(folder, "stranger");
  await writeFile(folder.join("jwks.json"), JSON.stringify({ keys: [publicJwk(signer.key, { kid: "k" })] }));
  const token = (key = signer, more = {}, access = [repository("team/image", "pull", "push")]): Promise<string> =>
    sign(claimsOf(access, { sub: "me", ...more }), key, { kid: "k" });
  return {
    open: () =>
      open({
        token: {
          ...{ realm: "https://auth.test/token", service: SERVICE, issuer: ISSUER },
          ...{ jwks: folder.join("jwks.json"), autoredirect: false, signingalgorithms: [] },
        },
      }),
    good: async () => `Bearer ${await token()}`,
    user: "me",
    bad: [
      `Bearer ${await token(stranger)}`,
      `Bearer ${await token(signer, { exp: 1 })}`,
      basic("me", "secret"),
      "Bearer",
    ],
  };
});

accessContract("of one's own", async () => ({
  open: async () =>
    openOwnAccess(
      await importNamed("./team-access.ts", EXAMPLES),
      { teams: { team: "key" } },
      { warn: () => undefined },
    ),
  good: () => basic("team", "key"),
  user: "team",
  bad: [basic("team", "other"), basic("other", "key"), basic("", ""), "Bearer x"],
}));
