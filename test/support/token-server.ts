import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseBasic } from "../../src/auth/basic.ts";
import type { Issued } from "./certificates.ts";
import { claimsOf, sign, type TokenAccess } from "./tokens.ts";

/** Gives tokens to whoever has a password, and to nobody in particular. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  /** `GET alice repository:a/b:pull` for each token that was asked for. */
  readonly asked: readonly string[];
}

export interface TokenServerOptions {
  readonly signer: Issued;
  readonly header: Readonly<Record<string, unknown>>;
  readonly passwords: Readonly<Record<string, string>>;
  /** Of what somebody asks for, what they get; "" is whoever gave no name. */
  readonly allowed: (user: string, access: TokenAccess) => readonly string[];
  /** Whether `POST` is taken; clients that try it go back to `GET`. */
  readonly post?: boolean;
}

interface Asked {
  readonly method: "GET" | "POST";
  readonly user: string;
  readonly password: string | undefined;
  readonly scopes: readonly string[];
  readonly refreshToken?: string | undefined;
}

/** @see auth, section 7 */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    answer(options, asked, request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(
  options: TokenServerOptions,
  asked: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "POST" && !options.post) return void response.writeHead(405).end();
  const wanted = request.method === "POST" ? await parsePost(request) : parseGet(request);
  const user = identify(options, wanted);
  asked.push([wanted.method, user ?? "?", ...wanted.scopes].join(" "));
  if (user === undefined) return void response.writeHead(401, { "content-type": "application/json" }).end("{}");
  const access = wanted.scopes.map(parseScope).map((one) => ({ ...one, actions: options.allowed(user, one) }));
  const token = await sign(claimsOf(access, { sub: user }), options.signer, options.header);
  const body = { token, access_token: token, expires_in: 300, issued_at: new Date().toISOString() };
  const refresh = user === "" ? {} : { refresh_token: `refresh-${user}`, scope: wanted.scopes.join(" ") };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...body, ...refresh }));
}

function parseGet(request: IncomingMessage): Asked {
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  const credentials = parseBasic(request.headers.authorization ?? "");
  const scopes = query.getAll("scope").flatMap((scope) => scope.split(" "));
  return { method: "GET", user: credentials?.user ?? "", password: credentials?.password.toString(), scopes };
}

async function parsePost(request: IncomingMessage): Promise<Asked> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  const form = new URLSearchParams(Buffer.concat(parts).toString());
  return {
    method: "POST",
    user: form.get("username") ?? "",
    password: form.get("password") ?? undefined,
    scopes: (form.get("scope") ?? "").split(" ").filter((scope) => scope !== ""),
    refreshToken: form.get("refresh_token") ?? undefined,
  };
}

/** @returns undefined for a wrong password */
function identify({ passwords }: TokenServerOptions, { user, password, refreshToken }: Asked): string | undefined {
  if (refreshToken !== undefined) return Object.keys(passwords).find((name) => refreshToken === `refresh-${name}`);
  if (user === "" && password === undefined) return "";
  return password !== undefined && passwords[user] === password ? user : undefined;
}

/** The name may have a colon of its own. */
function parseScope(scope: string): TokenAccess {
  const [, type = "", name = "", actions = ""] = /^([^:]*):(.*):([^:]*)$/.exec(scope) ?? [];
  return { type, name, actions: actions.split(",") };
}
