/** Who may do what, route by route. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Access } from "../../src/auth/access.ts";
import type { AccessController, Grant } from "../../src/auth/access-controller.ts";
import { SillyController } from "../../src/auth/silly.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { Unauthorized } from "../../src/oci/errors.ts";
import type { RepositoryName } from "../../src/oci/names.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";
import { pushBlob } from "../support/api-content.ts";
import { PATHS } from "../support/route-paths.ts";

/** What a request to a path of its own kind needs, as the specification of the peers has it. */
const NEEDED: Readonly<Record<string, string>> = {
  DELETE: "a/b:delete",
  GET: "a/b:pull",
  HEAD: "a/b:pull",
  PATCH: "a/b:pull,a/b:push",
  POST: "a/b:pull,a/b:push",
  PUT: "a/b:pull,a/b:push",
};

function expected(kind: string, method: string): readonly string[] {
  if (kind === "root") return [];
  if (kind === "base") return [""];
  if (kind === "catalog") return ["catalog:*"];
  const needed = NEEDED[method] ?? "";
  const isCancel = kind.startsWith("upload") && method === "DELETE";
  return isCancel ? ["a/b:pull,a/b:push", "a/b:delete"] : [needed];
}

class Refusing implements AccessController {
  readonly name = "refusing";
  readonly asked: string[] = [];

  authorize(_request: unknown, needed: readonly Access[]): Grant {
    this.asked.push(needed.map(({ name, action }) => `${name}:${action}`).join(","));
    throw new Unauthorized("Test", needed);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

describe("access control", () => {
  for (const [kind, methods] of Object.entries(ROUTES)) {
    for (const method of Object.keys(methods)) {
      test(`${method} of ${kind} is let in by its rights alone`, async () => {
        const access = new Refusing();
        await using api = await startApi(new MemoryDriver(), { access });
        const { status, headers, body } = await api.send(method, PATHS[kind as keyof typeof PATHS]);
        assert.deepEqual(access.asked, expected(kind, method));
        if (kind === "root") return assert.equal(status, 200);
        assert.equal(status, 401);
        assert.equal(headers["www-authenticate"], "Test");
        if (method !== "HEAD") assert.equal(JSON.parse(body.toString()).errors[0].code, "UNAUTHORIZED");
      });
    }
  }

  test("a source of a mount has to be readable, whatever the method, also where nothing is mounted", async () => {
    const access = new Refusing();
    await using api = await startApi(new MemoryDriver(), { access });
    await api.send("POST", `${PATHS.uploads}?from=c/d`);
    await api.send("GET", `${PATHS.tags}?from=c/d`);
    await api.send("GET", `${PATHS.tags}?from=`);
    assert.deepEqual(access.asked, ["a/b:pull,a/b:push,c/d:pull", "a/b:pull,c/d:pull", "a/b:pull"]);
  });

  test("nobody is asked for paths and methods that lead nowhere", async () => {
    const access = new Refusing();
    await using api = await startApi(new MemoryDriver(), { access });
    assert.equal((await api.send("GET", "/v2/a/b/nothing")).status, 404);
    assert.equal((await api.send("PROPFIND", PATHS.tags)).status, 405);
    assert.equal((await api.send("OPTIONS", PATHS.tags)).status, 200);
    assert.deepEqual(access.asked, []);
  });

  test("a name is asked for before it is checked", async () => {
    const access = new Refusing();
    await using api = await startApi(new MemoryDriver(), { access });
    assert.equal((await api.send("GET", "/v2/UPPER/tags/list")).status, 401);
    assert.deepEqual(access.asked, ["UPPER:pull"]);
  });

  test("a catalogue has the repositories that its reader may see", async () => {
    const grant: Grant = { user: "me", maySee: (name) => name.startsWith("mine/") };
    await using api = await startApi(new MemoryDriver(), { access: allowing(grant) });
    for (const name of ["mine/a", "mine/b", "other/a"]) await pushBlob(api, name, Buffer.from("x"));
    const page = await api.send("GET", "/v2/_catalog?n=1");
    assert.deepEqual(JSON.parse(page.body.toString()), { repositories: ["mine/a"] });
    const rest = await api.send("GET", "/v2/_catalog?n=5&last=mine/a");
    assert.deepEqual(JSON.parse(rest.body.toString()), { repositories: ["mine/b"] });
  });

  test("pages of a catalogue of which its reader sees a part have each repository once, and a link only where there is more", async () => {
    const grant: Grant = { user: "me", maySee: (name) => name.endsWith("/mine") };
    await using api = await startApi(new MemoryDriver(), { access: allowing(grant) });
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) {
      await pushBlob(api, `${name}/mine`, Buffer.from("x"));
      await pushBlob(api, `${name}/other`, Buffer.from("x"));
    }
    const pages: string[][] = [];
    for (let next: string | undefined = "/v2/_catalog?n=2"; next !== undefined; ) {
      const { headers, body } = await api.send("GET", next);
      pages.push(JSON.parse(body.toString()).repositories);
      next = /^<([^>]+)>/.exec(String(headers["link"] ?? ""))?.[1];
    }
    assert.deepEqual(pages, [["a/mine", "b/mine"], ["c/mine", "d/mine"], ["e/mine"]]);
  });

  test("a mount without a source takes one that its reader may read, or none", async () => {
    for (const [mayPull, status] of [
      [() => true, 201],
      [(name: RepositoryName) => name !== "source", 202],
      [undefined, 202],
    ] as const) {
      await using api = await startApi(new MemoryDriver(), {
        access: allowing({ user: "me", ...(mayPull && { mayPull }) }),
      });
      const digest = await pushBlob(api, "source", Buffer.from("x"));
      assert.equal((await api.send("POST", `/v2/target/blobs/uploads/?mount=${digest}`)).status, status);
    }
  });
});

describe("the silly controller", () => {
  const access = new SillyController({ realm: 'https://a/"b', service: "s" });

  test("asks for one scope a right", async () => {
    await using api = await startApi(new MemoryDriver(), { access });
    const base = await api.send("GET", "/v2/");
    assert.equal(base.headers["www-authenticate"], 'Bearer realm="https://a/\\"b",service="s"');
    assert.match(base.body.toString(), /"code":"UNAUTHORIZED","message":"authentication required","detail":null/);
    const post = await api.send("POST", PATHS.uploads);
    assert.match(post.headers["www-authenticate"] ?? "", /,scope="repository:a\/b:pull repository:a\/b:push"$/);
    const { errors } = JSON.parse(post.body.toString());
    assert.deepEqual(errors[0].detail, [
      { Type: "repository", Class: "", Name: "a/b", Action: "pull" },
      { Type: "repository", Class: "", Name: "a/b", Action: "push" },
    ]);
  });

  test("lets in whoever sends anything", async () => {
    await using api = await startApi(new MemoryDriver(), { access });
    const headers = { Authorization: "seriously" };
    assert.equal((await api.send("POST", PATHS.uploads, { headers })).status, 202);
    assert.equal((await api.send("POST", PATHS.uploads, { headers: { Authorization: "" } })).status, 401);
  });
});

function allowing(grant: Grant): AccessController {
  return { name: "allowing", authorize: () => grant, [Symbol.asyncDispose]: async () => undefined };
}
