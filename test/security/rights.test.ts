/** Who may do what: every route and method against every set of rights, with tokens as a token server signs them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ROUTES } from "../../src/http/routes.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";
import { json, pushBlob, pushImage, unchanged } from "../support/api-content.ts";
import { repository, type TokenAccess } from "../support/tokens.ts";
import { openTokenPlace } from "./token-place.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const ID = "11111111-2222-4333-8444-555555555555";

/** A path of each kind; what it names is not there. */
const PATHS: Readonly<Record<keyof typeof ROUTES, string>> = {
  root: "/",
  base: "/v2/",
  catalog: "/v2/_catalog",
  tags: "/v2/team/a/tags/list",
  manifest: "/v2/team/a/manifests/latest",
  blob: `/v2/team/a/blobs/${DIGEST}`,
  uploads: "/v2/team/a/blobs/uploads/",
  upload: `/v2/team/a/blobs/uploads/${ID}`,
  referrers: `/v2/team/a/referrers/${DIGEST}`,
};

/** Every subset, and the wildcard. */
const GRANTED: readonly (readonly string[])[] = [
  ...Array.from({ length: 8 }, (_, bits) => ["pull", "push", "delete"].filter((_, index) => bits & (1 << index))),
  ["*"],
];

/** What is no right to `team/a`, however much of it there is. */
const ELSEWHERE: readonly TokenAccess[] = [
  ...["team", "team/", "team/a/", "team/a/b", "team/A", "a", "team/*", "*", "", "team%2Fa", "team/a:pull"].map((name) =>
    repository(name, "*", "pull", "push", "delete"),
  ),
  ...["registry", "Repository", "repository(plugin)", "repository ", "*", ""].map((type) => ({
    type,
    name: "team/a",
    actions: ["*", "pull", "push", "delete"],
  })),
  repository("team/a", "PULL", "Push", "DELETE", "pull,push,delete", "", "admin"),
];

const NEEDED: Readonly<Record<string, readonly string[]>> = {
  GET: ["pull"],
  HEAD: ["pull"],
  POST: ["pull", "push"],
  PUT: ["pull", "push"],
  PATCH: ["pull", "push"],
  DELETE: ["delete"],
};

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** The right to the catalogue, which is none to a repository. */
const CATALOG: TokenAccess = { type: "registry", name: "catalog", actions: ["*"] };

/** @returns whether such a request may be answered; "cancel" is for whoever pushes, too */
function isAllowed(kind: string, method: string, granted: readonly string[]): boolean {
  if (kind === "root" || kind === "base") return true;
  if (kind === "catalog") return false;
  const has = (actions: readonly string[]): boolean =>
    granted.includes("*") || actions.every((one) => granted.includes(one));
  const cancels = kind.startsWith("upload") && method === "DELETE";
  return has(NEEDED[method] ?? ["none"]) || (cancels && has(["pull", "push"]));
}

describe("scope against method", () => {
  for (const [kind, methods] of Object.entries(ROUTES)) {
    for (const method of Object.keys(methods)) {
      test(`GHSA-qg67-7m6v-qg25: ${method} of ${kind} takes just the rights that it needs`, async () => {
        await using place = await openTokenPlace();
        const path = PATHS[kind as keyof typeof PATHS];
        for (const granted of GRANTED) {
          const caller = await place.as([repository("team/a", ...granted)]);
          const { status, headers } = await caller.send(method, path);
          assert.equal(status !== 401, isAllowed(kind, method, granted), `${granted}: ${status}`);
          if (status === 401) assert.match(headers["www-authenticate"] ?? "", /,error="insufficient_scope"$/);
          const lister = await place.as([repository("team/a", ...granted), CATALOG]);
          const listed = await lister.send(method, path);
          assert.equal(listed.status, kind === "catalog" ? 200 : status, `${granted} and the catalogue`);
        }
        const stranger = await place.as(ELSEWHERE);
        const { status } = await unchanged(place.api, () => stranger.send(method, path));
        assert.equal(status === 401, kind !== "root" && kind !== "base", `elsewhere: ${status}`);
        assert.equal((await place.api.send(method, path)).status, kind === "root" ? 200 : 401);
      });
    }
  }

  for (const [kind, methods] of Object.entries(ROUTES)) {
    for (const method of METHODS.filter((one) => !(one in methods))) {
      test(`${method} of ${kind}, which it lacks, changes nothing, whatever the token`, async () => {
        await using place = await openTokenPlace();
        const { digest } = await pushImage(await place.as([repository("team/a", "*")]), "team/a", {
          reference: "latest",
        });
        const path = PATHS[kind as keyof typeof PATHS].replace(DIGEST, digest);
        const callers = [place.api, await place.as(ELSEWHERE), await place.as([CATALOG])];
        for (const granted of GRANTED) callers.push(await place.as([repository("team/a", ...granted), CATALOG]));
        await unchanged(place.api, async () => {
          for (const caller of callers) {
            const { status, headers } = await caller.send(method, path);
            assert.equal(status, method === "OPTIONS" ? 200 : 405);
            assert.deepEqual(headers.allow?.split(", ").sort(), Object.keys(methods).sort());
          }
        });
      });
    }
  }

  test("GHSA-qg67-7m6v-qg25: a method stays what it is, whatever headers and parameters call it", async () => {
    await using place = await openTokenPlace();
    const owner = await place.as([repository("team/a", "pull", "push")]);
    await pushImage(owner, "team/a", { reference: "t" });
    const reader = await place.as([repository("team/a", "pull")]);
    await unchanged(place.api, async () => {
      for (const override of ["DELETE", "PUT"]) {
        const headers = {
          "X-HTTP-Method-Override": override,
          "X-HTTP-Method": override,
          "X-Method-Override": override,
          "X-Original-URL": "/v2/team/a/manifests/t",
          "X-Rewrite-URL": "/v2/team/a/manifests/t",
        };
        for (const method of ["GET", "POST", "PUT", "DELETE"]) {
          const answer = await reader.send(method, `/v2/team/a/manifests/t?_method=${override}`, { headers });
          assert.equal(answer.status, { GET: 200, POST: 405 }[method] ?? 401, `${method} as ${override}`);
        }
        assert.equal((await place.api.send("GET", "/", { headers })).body.length, 0);
      }
    });
  });

  test("CVE-2026-31801: no tag and no name is exempt", async () => {
    await using place = await openTokenPlace();
    const names = ["team/a", "library/latest", "latest", "docker", "public", "v2", "admin", "_catalog/a"];
    const reader = await place.as(names.map((name) => repository(name, "pull")));
    await unchanged(place.api, async () => {
      for (const name of names) {
        for (const tag of ["latest", "stable", "v1", "LATEST", "_", DIGEST, `sha256-${"a".repeat(64)}`]) {
          for (const method of ["PUT", "DELETE"]) {
            const answer = await reader.send(method, `/v2/${name}/manifests/${tag}`, { body: "{}" });
            assert.equal(answer.status, 401, `${method} ${name}:${tag}`);
          }
        }
      }
    });
  });

  test("CVE-2020-29662: the catalogue is for whoever has the right to it, and for nobody else", async () => {
    await using place = await openTokenPlace();
    const owner = await place.as([repository("team/a", "pull", "push")]);
    await pushBlob(owner, "team/a", Buffer.from("x"));
    for (const path of ["/v2/_catalog", "/v2/_catalog?n=1", "/v2/%5fcatalog", "/v2/_catalog?from=team/a"]) {
      assert.equal((await place.api.send("GET", path)).status, 401, path);
      assert.equal((await owner.send("GET", path)).status, 401, path);
      const almost = await place.as([
        { type: "registry", name: "catalog", actions: ["pull", "list"] },
        { type: "repository", name: "catalog", actions: ["*"] },
        { type: "registry", name: "*", actions: ["*"] },
      ]);
      assert.equal((await almost.send("GET", path)).status, 401, path);
    }
    const lister = await place.as([{ type: "registry", name: "catalog", actions: ["*"] }]);
    assert.deepEqual(json(await lister.send("GET", "/v2/_catalog")), { repositories: ["team/a"] });
    assert.equal((await lister.send("GET", "/v2/team/a/tags/list")).status, 401);
  });

  test("a route that is added without a right stops the start", async () => {
    const routes = ROUTES as { tags: { GET: { action?: string } } };
    const { GET } = routes.tags;
    routes.tags.GET = { ...GET, action: undefined } as never;
    try {
      await assert.rejects(startApi(new MemoryDriver()), /names no action/);
    } finally {
      routes.tags.GET = GET;
    }
  });
});
