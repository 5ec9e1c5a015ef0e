import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { openToken } from "../../src/auth/token/open-token.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Answer, type Api, type ApiOptions, type SendInit, startApi } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { claimsOf, ISSUER, publicJwk, SERVICE, sign, type TokenAccess } from "../support/tokens.ts";

/** An API that believes the tokens of one key. Disposal ends it. */
export interface TokenPlace extends AsyncDisposable {
  readonly api: Api;

  /** As somebody with these rights. */
  as(access: readonly TokenAccess[]): Promise<Caller>;
}

/** The API for somebody: what it sends has a token. */
export type Caller = Api;

export async function openTokenPlace(options: ApiOptions = {}): Promise<TokenPlace> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("rights"));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = folder.join("jwks.json");
  await writeFile(jwks, JSON.stringify({ keys: [publicJwk(privateKey, { kid: "k" })] }));
  const places = { realm: "https://auth.test/token", service: SERVICE, issuer: ISSUER, jwks };
  const access = await openToken({ ...places, autoredirect: false, signingalgorithms: [] }, () => undefined);
  stack.use(access);
  const api = stack.use(await startApi(new MemoryDriver(), { access, ...options }));
  const owned = stack.move();
  return {
    api,
    as: async (rights) => {
      const token = await sign(claimsOf(rights), { key: privateKey }, { kid: "k" });
      return { ...api, send: (method, target, init = {}) => sendWith(api, token, method, target, init) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function sendWith(api: Api, token: string, method: string, target: string, init: SendInit): Promise<Answer> {
  return api.send(method, target, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
}
