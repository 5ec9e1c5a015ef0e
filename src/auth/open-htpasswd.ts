import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { bcrypt } from "hash-wasm";
import type { AccessController } from "./access-controller.ts";
import { FileContent, type Warn } from "./file-content.ts";
import { HtpasswdController } from "./htpasswd.ts";
import { type HtpasswdUsers, parseHtpasswd } from "./htpasswd-users.ts";
import { BcryptWorkers } from "./password-checks.ts";
import { openFile, UnusableValue } from "./unusable-value.ts";

export interface HtpasswdPlace {
  readonly realm: string;
  /** A file. */
  readonly path: string;
}

/**
 * @param isStart whether a file that is missing is made with one user. Where a registry serves already, its path is
 * probably mistyped, and a new file would lock everybody out.
 * @throws {UnusableValue} where the file cannot be used
 */
export async function openHtpasswd(
  { realm, path }: HtpasswdPlace,
  warn: Warn,
  isStart: boolean,
): Promise<AccessController> {
  if (!existsSync(path)) await provide(path, warn, isStart);
  const parse = (text: string): HtpasswdUsers => {
    const users = parseHtpasswd(text);
    for (const warning of users.warnings) warn(`htpasswd: ${warning}`, { path });
    return users;
  };
  const file = openFile("path", path, () => new FileContent(path, parse, warn));
  return new HtpasswdController({ realm, users: () => file.get(), checks: new BcryptWorkers() });
}

const USER = "docker";
const COST = 10;

/** As the peers: whoever starts the registry finds the password in its log. */
async function provide(path: string, warn: Warn, isStart: boolean): Promise<void> {
  if (!isStart) throw new UnusableValue("path", `there is no file ${path}, and only a start of the registry makes one`);
  const password = randomBytes(32).toString("base64url");
  const hash = await bcrypt({ password, salt: randomBytes(16), costFactor: COST, outputType: "encoded" });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, `${USER}:${hash}\n`, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return; // another process was quicker
    throw error;
  }
  warn("htpasswd is missing, provisioning with default user", { path, user: USER, password });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
