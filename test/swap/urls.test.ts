/** URLs that both registries make of their configuration and of what proxies tell. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { unlessDebian } from "../setup.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CONFIGURATIONS: Readonly<Record<string, Configuration>> = {
  "nothing set": {},
  "a host with a path": { host: "https://hub.example:8443/below" },
  relativeurls: { relativeurls: true },
  "host and relativeurls": { host: "https://hub.example", relativeurls: true },
  prefix: { prefix: "/a/b/" },
  "prefix and host": { prefix: "/a/b/", host: "http://hub.example" },
  "prefix and relativeurls": { prefix: "/a/b/", relativeurls: true },
};

/** The old registry leaves the prefix out of its paths then, where it answers 404 to everything. */
const WITHOUT_PREFIX = "prefix and relativeurls";

/** What is sent, and why ours answers otherwise, where it does. */
const REQUESTS: readonly (readonly [headers: Readonly<Record<string, string>>, otherwise?: string])[] = [
  [{ Host: "reg.example:5000" }],
  [{ Host: "a", "X-Forwarded-Proto": "https" }],
  [{ Host: "a", "X-Forwarded-Host": "b.example:1" }],
  [{ Host: "a", "X-Forwarded-Host": " b.example:1 , c", "X-Forwarded-Proto": "https" }],
  [{ Host: "a", "X-Forwarded-Proto": "https, http" }, "a list of schemes is no scheme; the first counts"],
  [{ Host: "a", "X-Forwarded-Proto": "javascript" }, "nothing but http and https is believed"],
  [{ Host: "a", "X-Forwarded-Host": "b/c?d" }, "what is no host is not believed"],
  [{ Host: "a", "X-Forwarded-Port": "9", "X-Forwarded-Prefix": "/p" }],
  [{ Host: "a", Forwarded: "for=1.2.3.4;proto=https;host=f.example" }],
  [{ Host: "a", Forwarded: "host=f;proto=https, host=g;proto=http" }],
  [{ Host: "a", Forwarded: 'host="[::1]:5000";Proto=https' }],
  [{ Host: "a", Forwarded: "proto=https", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "http" }],
  [{ Host: "a", Forwarded: "host=f", "X-Forwarded-Proto": "https" }],
  [{ Host: "a", Forwarded: "proto=https;;=", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "https" }],
];

describe("URLs are those of docker-registry", { skip: unlessDebian("docker-registry") }, () => {
  for (const [title, http] of Object.entries(CONFIGURATIONS)) {
    test(`with ${title}`, async () => {
      await using folder = await temporaryFolder("urls");
      const configuration = { http: { relativeurls: false, ...http } };
      const start = (kind: "docker-registry" | "wharfinger"): Promise<RegistryProcess> =>
        startRegistry(kind, { rootDirectory: folder.join(kind), configuration });
      await using peer = await start("docker-registry");
      await using ours = await start("wharfinger");
      const prefix = String(http["prefix"] ?? "/");
      const [different, same]: [unknown[], string[]] = [[], []];
      for (const [headers, otherwise] of REQUESTS) {
        const [theirs, our] = [await told(peer, prefix, headers), await told(ours, prefix, headers)];
        const decided = "host" in http || http["relativeurls"] === true;
        const expected = title !== WITHOUT_PREFIX && (otherwise === undefined || decided);
        if (isDeepStrictEqual(theirs, our) !== expected) {
          if (expected) different.push({ headers, theirs, our });
          else same.push(otherwise ?? title);
        }
      }
      assert.deepEqual(different, []);
      assert.deepEqual(same, [], "these are no longer different");
    });
  }
});

/** Location of an upload and of a blob, of a redirect to the right path, and Link, without what differs each time. */
async function told(
  { port }: RegistryProcess,
  prefix: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly unknown[]> {
  const ask = (method: string, path: string, body = ""): Promise<IncomingMessage> =>
    send(port, { method, path, headers, body });
  const begun = await ask("POST", `${prefix}v2/a/blobs/uploads/`);
  const state = /\/v2\/.*/.exec(begun.headers.location ?? "")?.[0] ?? "";
  const ended = await ask("PUT", `${prefix}${state.slice(1)}&digest=${DIGEST}`, "x");
  const list = await ask("GET", `${prefix}v2/_catalog?n=1`);
  const bare = await ask("GET", `${prefix}v2`);
  const outside = await ask("GET", "/v2/");
  return [begun, ended, list, bare, outside].map(({ statusCode, headers: { location, link } }) => [
    statusCode,
    location?.replace(/uploads\/[^/]*$/, "uploads/"),
    link,
  ]);
}

const DIGEST = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function send(port: number, { body, ...ask }: Ask): Promise<IncomingMessage> {
  const length = { "Content-Length": String(body.length) };
  const asked = request({ host: "127.0.0.1", port, agent: false, ...ask, headers: { ...ask.headers, ...length } });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  await once(answer, "close");
  return answer;
}
