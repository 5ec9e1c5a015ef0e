import assert from "node:assert/strict";
import { test } from "node:test";
import { registryContract } from "../contract/registry.ts";
import { contentsOf, expectText, json, pushBlob, pushImage, unchanged } from "../support/api-content.ts";
import { WITHOUT_HTTP1 } from "../support/protocol.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

/** Methods of each route, as `Allow` lists them. */
const ROUTES: readonly (readonly [path: string, allow: string, readOnly: string])[] = [
  ["/v2/_catalog", "GET", "GET"],
  ["/v2/a/b/tags/list", "GET", "GET"],
  ["/v2/a/b/manifests/tag", "DELETE, GET, HEAD, PUT", "GET, HEAD"],
  [`/v2/a/b/manifests/${DIGEST}`, "DELETE, GET, HEAD, PUT", "GET, HEAD"],
  [`/v2/a/b/blobs/${DIGEST}`, "DELETE, GET, HEAD", "GET, HEAD"],
  ["/v2/a/b/blobs/uploads/", "DELETE, GET, HEAD, PATCH, POST, PUT", "GET, HEAD"],
  [`/v2/a/b/blobs/uploads/${UUID}`, "DELETE, GET, HEAD, PATCH, POST, PUT", "GET, HEAD"],
  [`/v2/a/b/referrers/${DIGEST}`, "GET, HEAD", "GET, HEAD"],
];

/** Methods of HTTP that no route knows. */
const FOREIGN = ["QUERY", "PROPFIND", "TRACE", "M-SEARCH", "MKCOL", "LOCK"];
const METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", ...FOREIGN];

registryContract("the routes", (open) => {
  test("the base route answers every method with an empty object and the version of the API", async () => {
    await using api = await open();
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await api.send(method, "/v2/");
      assert.equal(answer.status, 200, method);
      assert.equal(answer.body.toString(), "{}");
      assert.equal(answer.headers["content-length"], "2");
      assert.equal(answer.headers["content-type"], "application/json");
      assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
    }
    const head = await api.send("HEAD", "/v2/");
    assert.equal(head.status, 200);
    assert.equal(head.headers["content-length"], "2");
    assert.equal(head.body.length, 0);
  });

  test("the root answers everybody with nothing, and does not say that it is a registry", async () => {
    await using api = await open({ headers: { "X-Own": ["1"] } });
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await api.send(method, "/?x=/v2/a/tags/list");
      assert.equal(answer.status, 200, method);
      assert.equal(answer.headers["cache-control"], "no-cache");
      assert.equal(answer.headers["docker-distribution-api-version"], undefined);
      assert.equal(answer.headers["x-own"], undefined);
      assert.equal(answer.body.length, 0);
    }
  });

  test("OPTIONS tells the methods of a route", async () => {
    await using api = await open();
    for (const [path, allow] of ROUTES) {
      const answer = await api.send("OPTIONS", path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.allow, allow, path);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
    }
    assert.equal((await api.send("OPTIONS", "/v2/")).status, 200);
  });

  test("a method that a route does not know is refused with those it knows", async () => {
    await using api = await open();
    for (const [path, allow] of ROUTES) {
      for (const method of METHODS.filter((one) => !allow.split(", ").includes(one))) {
        const answer = await api.send(method, path, { headers: { "Content-Length": "0" } });
        assert.equal(answer.headers.allow, allow, `${method} ${path}`);
        if (method !== "HEAD") expectText(answer, 405, "Method not allowed\n");
        assert.equal(answer.status, 405);
      }
    }
    assert.deepEqual(await contentsOf(api.driver), {});
  });

  test("a method from elsewhere is refused on every route, with a body and without, and is nobody's error", async () => {
    await using api = await open();
    const all = "DELETE, GET, HEAD, PATCH, POST, PUT";
    for (const [path, allow] of [["/", all], ["/v2/", all], ...ROUTES] as const) {
      for (const method of FOREIGN) {
        for (const headers of [{}, { "Content-Length": "1" }, { "Content-Type": "application/json" }]) {
          const answer = await api.send(method, path, { headers, body: "Content-Length" in headers ? "x" : "" });
          assert.equal(answer.status, 405, `${method} ${path}`);
          assert.equal(answer.headers.allow, allow, `${method} ${path}`);
          assert.equal(answer.body.toString(), "Method not allowed\n");
        }
      }
    }
    assert.deepEqual(
      api.log.filter((line) => /level=(?:error|warn)/.test(line)),
      [],
    );
  });

  test("in maintenance only reading is left", async () => {
    await using api = await open({ readOnly: true, deletion: true });
    for (const [path, , allow] of ROUTES) {
      for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
        const answer = await unchanged(api, () => api.send(method, path, { body: "x" }));
        expectText(answer, 405, "Method not allowed\n");
        assert.equal(answer.headers.allow, allow, `${method} ${path}`);
      }
    }
    assert.equal((await api.send("GET", "/v2/")).status, 200);
    assert.deepEqual(json(await api.send("GET", "/v2/_catalog")), { repositories: [] });
  });

  test("an unknown path is answered in plain text", async () => {
    await using api = await open();
    const long = "t".repeat(129);
    const paths = [
      "/v1/",
      "/v3/x",
      "/v2/x",
      "/v2/a/b",
      "/v2/tags/list",
      "/v2/manifests/x",
      "/v2/blobs/uploads/",
      `/v2/blobs/${DIGEST}`,
      "/v2/a/tags/",
      "/v2/a/tags/list/",
      "/v2/a/manifests/",
      "/v2/a/manifests/.tag",
      "/v2/a/manifests/-tag",
      "/v2/a/manifests/ta%20g",
      `/v2/a/manifests/${long}`,
      "/v2/a/manifests/x/y",
      "/favicon.ico",
      "/v2x/",
      "/V2/",
    ];
    for (const path of paths) {
      for (const method of ["GET", "PUT", "PROPFIND"]) {
        expectText(await api.send(method, path), 404, "404 page not found\n");
      }
    }
  });

  test("a missing or superfluous slash is mended by a redirect that keeps the query", async () => {
    await using api = await open();
    const redirects = [
      ["/v2", "/v2/"],
      ["/v2?a=b", "/v2/?a=b"],
      ["/v2/_catalog/?n=3", "/v2/_catalog?n=3"],
      ["/v2/a/b/blobs/uploads?x=1", "/v2/a/b/blobs/uploads/?x=1"],
      ["/v2/a//b/tags/list?n=1", "/v2/a/b/tags/list?n=1"],
      ["//v2/", "/v2/"],
      ["//elsewhere.example/v2/", "/elsewhere.example/v2/"],
      ["/v2/a/../b/tags/list", "/v2/b/tags/list"],
      ["/v2/a/./tags/list", "/v2/a/tags/list"],
      ["/../../etc/passwd", "/etc/passwd"],
      ["/v2/a/..", "/v2/"],
      ["/..", "/"],
    ] as const;
    for (const [path, location] of redirects) {
      const answer = await api.send("GET", path);
      assert.equal(answer.status, 301, path);
      assert.equal(answer.headers.location, location);
      assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
    }
  });

  test("a POST is served without the slash at its end, because a redirect would turn it into a GET", async () => {
    await using api = await open();
    const answer = await api.send("POST", "/v2/a/b/blobs/uploads");
    assert.equal(answer.status, 202);
    assert.match(answer.headers.location ?? "", /\/v2\/a\/b\/blobs\/uploads\/[0-9a-f-]{36}\?_state=/);
  });

  test("the longest name wins, also where it reads like a route", async () => {
    await using api = await open();
    for (const name of ["foo/manifests", "foo/blobs/uploads", "tags/list", "v2/x", "foo/tags"]) {
      const image = await pushImage(api, name, { reference: "tags" });
      const answer = await api.send("GET", `/v2/${name}/manifests/tags`);
      assert.deepEqual(answer.body, image.bytes, name);
      assert.deepEqual(json(await api.send("GET", `/v2/${name}/tags/list`)), { name, tags: ["tags"] });
    }
  });

  test("an encoded slash is one of the name", async () => {
    await using api = await open();
    const image = await pushImage(api, "a/b", { reference: "x" });
    assert.deepEqual((await api.send("GET", "/v2/a%2Fb/manifests/x")).body, image.bytes);
    assert.deepEqual((await api.send("GET", "/v2/%61/b%2fmanifests/%78")).body, image.bytes);
  });

  test("http.prefix moves every route, and generated URLs keep it", async () => {
    await using api = await open({ prefix: "/deep/down/" });
    assert.equal((await api.send("GET", "/deep/down/v2/")).status, 200);
    assert.equal((await api.send("GET", "/")).status, 200);
    for (const path of ["/v2/", "/v2/_catalog", "/deep/v2/", "/deep/down/"]) {
      expectText(await api.send("GET", path), 404, "404 page not found\n");
    }
    assert.equal((await api.send("GET", "/deep/down/v2")).headers.location, "/deep/down/v2/");
    const answer = await api.send("POST", "/deep/down/v2/a/blobs/uploads/");
    assert.ok(answer.headers.location?.startsWith(`${api.origin}/deep/down/v2/a/blobs/uploads/`));
  });

  test("http.headers are on every routed answer, refusals included, and on no other", async () => {
    await using api = await open({ headers: { "X-Own": ["1", "2"], "X-Content-Type-Options": ["nosniff"] } });
    for (const path of ["/v2/", "/v2/_catalog", "/v2/none/tags/list", "/v2/a/manifests/none", "/v2"]) {
      assert.equal((await api.send("GET", path)).headers["x-own"], "1, 2", path);
    }
    assert.equal((await api.send("PROPFIND", "/v2/_catalog")).headers["x-own"], "1, 2");
    assert.equal((await api.send("GET", "/nowhere")).headers["x-own"], undefined);
  });

  test("of http.headers none is left that an answer sets itself, however many there were", async () => {
    await using api = await open({ headers: { "Content-Type": ["a/b", "c/d"], "X-Own": ["1"] } });
    const { headers } = await api.send("GET", "/v2/");
    assert.deepEqual([headers["content-type"], headers["x-own"]], ["application/json", "1"]);
  });

  test("the version and http.headers are on blobs too: whole, in part, unchanged, and not to be had", async () => {
    await using api = await open({ headers: { "X-Own": ["1"] } });
    const digest = await pushBlob(api, "a", Buffer.from("0123456789"));
    for (const [headers, status] of [
      [{}, 200],
      [{ Range: "bytes=0-1" }, 206],
      [{ Range: "bytes=0-1,4-5" }, 206],
      [{ Range: "bytes=20-" }, 416],
      [{ "If-None-Match": "*" }, 304],
      [{ "If-Match": '"x"' }, 412],
    ] as const) {
      const answer = await api.send("GET", `/v2/a/blobs/${digest}`, { headers });
      assert.equal(answer.status, status);
      assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
      assert.equal(answer.headers["x-own"], "1");
    }
  });

  test("header names are spelt as the peers spell them", { skip: WITHOUT_HTTP1 }, async () => {
    await using api = await open();
    const { digest } = await pushImage(api, "a", { reference: "x" });
    const { rawHeaders } = await api.send("GET", "/v2/a/manifests/x");
    for (const name of ["Docker-Distribution-Api-Version", "Docker-Content-Digest", "Content-Type", "Etag"]) {
      assert.ok(rawHeaders.includes(name), name);
    }
    assert.ok(rawHeaders.includes(digest));
  });
});
