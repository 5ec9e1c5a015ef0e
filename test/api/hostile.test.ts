import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import type { Api } from "../support/api.ts";
import {
  contentsOf,
  expectError,
  expectText,
  imageDocument,
  pushBlob,
  pushImage,
  putManifest,
  startUpload,
  unchanged,
} from "../support/api-content.ts";
import { WITHOUT_HTTP1 } from "../support/protocol.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"];

registryContract("a hostile client", (open) => {
  test("gets nowhere with tricks in paths", async () => {
    await using api = await openWithImage(open);
    const cases: readonly (readonly [path: string, answer: "NAME_INVALID" | "DIGEST_INVALID" | "nowhere"])[] = [
      ["/v2/%2e%2e/tags/list", "NAME_INVALID"],
      ["/v2/a/%2e%2e/%2E%2e/etc/tags/list", "NAME_INVALID"],
      ["/v2/a/%2e/tags/list", "NAME_INVALID"],
      ["/v2/%252e%252e/tags/list", "NAME_INVALID"],
      ["/v2/a/%252e%252e%252fb/tags/list", "NAME_INVALID"],
      ["/v2/a%00b/tags/list", "NAME_INVALID"],
      ["/v2/a%2500/tags/list", "NAME_INVALID"],
      ["/v2/a%2f%2fb/tags/list", "NAME_INVALID"],
      ["/v2/%2fa/tags/list", "NAME_INVALID"],
      ["/v2/a%5c..%5cb/tags/list", "NAME_INVALID"],
      ["/v2/a\\b/tags/list", "NAME_INVALID"],
      ["/v2/a%0ab/tags/list", "NAME_INVALID"],
      ["/v2/%c0%ae%c0%ae/tags/list", "NAME_INVALID"],
      ["/v2/%ff/tags/list", "NAME_INVALID"],
      ["/v2/a%/tags/list", "NAME_INVALID"],
      ["/v2/a%zz/tags/list", "NAME_INVALID"],
      ["/v2/a%2/tags/list", "NAME_INVALID"],
      ["/v2/a%u002e/tags/list", "NAME_INVALID"],
      ["/v2/_uploads/tags/list", "NAME_INVALID"],
      ["/v2/a/_manifests/tags/list", "NAME_INVALID"],
      ["/v2/-a/tags/list", "NAME_INVALID"],
      ["/v2/a./tags/list", "NAME_INVALID"],
      ["/v2/a..b/tags/list", "NAME_INVALID"],
      ["/v2/a___b/tags/list", "NAME_INVALID"],
      ["/v2/a b/tags/list".replace(" ", "%20"), "NAME_INVALID"],
      ["/v2/é/tags/list".replace("é", "%c3%a9"), "NAME_INVALID"],
      [`/v2/${"a".repeat(256)}/tags/list`, "NAME_INVALID"],
      [`/v2/${"a/".repeat(130)}a/tags/list`, "NAME_INVALID"],
      [`/v2/${"a/".repeat(3000)}a/tags/list`, "NAME_INVALID"],
      ["/v2/a/blobs/..%2f..%2fetc", "NAME_INVALID"],
      ["/v2/a/blobs/sha256:%2e%2e%2f", "nowhere"],
      [`/v2/a/blobs/${DIGEST}%2f..`, "NAME_INVALID"],
      [`/v2/a/blobs/${DIGEST}%00`, "NAME_INVALID"],
      [`/v2/a/blobs/${DIGEST}%20`, "DIGEST_INVALID"],
      [`/v2/a/blobs/${DIGEST.toUpperCase()}`, "DIGEST_INVALID"],
      [`/v2/a/manifests/sha256:..%2f`, "nowhere"],
      ["/v2/a/manifests/..%2f..", "NAME_INVALID"],
      ["/v2/a/manifests/%2e%2e", "NAME_INVALID"],
      ["/v2/a/manifests/t%2f..%2fu", "NAME_INVALID"],
      ["/v2/a/manifests/%252e%252e", "nowhere"],
      ["/v2/a/manifests/t%00", "NAME_INVALID"],
      [`/v2/a/manifests/${"t".repeat(9000)}`, "nowhere"],
      ["/v2/a/manifests/t\\..\\u", "NAME_INVALID"],
      ["/v2/a/manifests/t;x", "nowhere"],
    ];
    await unchanged(api, async () => {
      for (const [path, expected] of cases) {
        const answer = await api.send("GET", path);
        if (expected === "nowhere") assert.equal(answer.status, 404, path);
        else expectError(answer, 400, expected);
        for (const method of METHODS) {
          const { status } = await api.send(method, path, method === "GET" || method === "HEAD" ? {} : { body: "{}" });
          assert.ok([400, 404, 405].includes(status), `${method} ${path}: ${status}`);
        }
      }
    });
  });

  test("is redirected from an unclean path whatever the method, before anything happens", async () => {
    await using api = await openWithImage(open);
    await unchanged(api, async () => {
      for (const path of [
        "/v2/a/../a/manifests/t",
        "/v2//a/manifests/t",
        "/v2/./a/manifests/t",
        "/x/../v2/a/manifests/t",
      ]) {
        for (const method of METHODS) {
          const answer = await api.send(method, path);
          assert.equal(answer.status, 301, `${method} ${path}`);
          assert.equal(answer.headers.location, "/v2/a/manifests/t");
        }
      }
    });
  });

  test("cannot make a query look like a path", async () => {
    await using api = await openWithImage(open);
    await unchanged(api, async () => {
      const catalog = await api.send("GET", "/v2/_catalog?last=q/blobs/z");
      assert.equal(catalog.body.toString(), '{"repositories":[]}\n');
      const base = await api.send("GET", "/v2/?ns=/v2/x/manifests/y");
      assert.equal(base.body.toString(), "{}");
      const tags = await api.send("GET", "/v2/a/tags/list?x=/v2/b/tags/list&../..");
      assert.equal(tags.body.toString(), '{"name":"a","tags":["t"]}\n');
      assert.equal((await api.send("DELETE", `/v2/a/tags/list?/v2/a/manifests/t`)).status, 405);
      assert.equal((await api.send("GET", `/v2/a/manifests/t?/../../blobs/${DIGEST}`)).status, 200);
      assert.equal((await api.send("GET", "/v2/a/manifests/t?%zz&%00=%ff")).status, 200);
      assert.equal((await api.send("GET", "/?/v2/a/manifests/t")).body.length, 0);
      assert.equal((await api.send("GET", "/v2/a/manifests/t%3fx")).status, 404);
      assert.equal((await api.send("GET", "/v2/a/manifests/t%23x")).status, 404);
    });
  });

  test("may use names and tags of the greatest length, and no longer", async () => {
    await using api = await open();
    const name = `${"n".repeat(127)}/${"m".repeat(127)}`;
    const tag = "t".repeat(128);
    await pushImage(api, name, { reference: tag });
    assert.equal((await api.send("GET", `/v2/${name}/manifests/${tag}`)).status, 200);
    await unchanged(api, async () => {
      expectError(await api.send("POST", `/v2/${name}x/blobs/uploads/`), 400, "NAME_INVALID");
      const body = JSON.stringify(indexDocument);
      expectText(await putManifest(api, name, `${tag}t`, body, MediaType.ociIndex), 404, "404 page not found\n");
    });
  });

  test("is answered in absolute form by the path alone", { skip: WITHOUT_HTTP1 }, async () => {
    await using api = await openWithImage(open);
    for (const url of ["http://elsewhere.example/v2/a/manifests/t", "https://x:1/v2/a/manifests/t?y=/"]) {
      assert.equal((await api.send("GET", url)).status, 200, url);
    }
    assert.equal((await api.send("GET", "http://elsewhere.example")).status, 200);
    const answer = await api.send("GET", "http://elsewhere.example//evil.example/v2/");
    assert.equal(answer.headers.location, "/evil.example/v2/");
    const started = await api.send("POST", "http://elsewhere.example/v2/a/blobs/uploads/");
    assert.ok(started.headers.location?.startsWith(`${api.origin}/v2/`));
  });

  test("that sends no HTTP is told so and cut off", async () => {
    await using api = await openWithImage(open);
    await unchanged(api, async () => {
      const delete1 = `DELETE /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\n`;
      for (const bytes of [
        "\0\0\0\0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET\r\n\r\n",
        "GET /v2/ HTTP/9.9\r\n\r\n",
        "FOO /v2/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v2/a b/tags/list HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
        `${delete1}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
        `${delete1}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        `${delete1}Content-Length: -1\r\n\r\n`,
        `${delete1}Content-Length: 1x\r\n\r\nx`,
        `${delete1}Content-Length : 1\r\n\r\nx`,
        `${delete1}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
      ]) {
        const answer = await api.raw(bytes);
        assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/, JSON.stringify(bytes));
        assert.match(answer, /\r\nDocker-Distribution-Api-Version: registry\/2\.0\r\n/);
        assert.match(answer, /\r\nConnection: close\r\n/);
        const [head, body] = answer.split("\r\n\r\n") as [string, string];
        assert.match(head, new RegExp(`\r\nContent-Length: ${body.length}\r\n`));
        assert.equal(
          body,
          '{"errors":[{"code":"UNKNOWN","message":"bad request","detail":"the request is no valid HTTP"}]}\n',
        );
      }
    });
  });

  test("that names no host is refused, and an expectation that nobody knows is not met", async () => {
    await using api = await openWithImage(open);
    const answer = await api.raw("GET /v2/ HTTP/1.1\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n.*\r\n\r\n.*"detail":"the request names no host"/s);
    const expectation = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: the-unexpected\r\n\r\n";
    assert.match(await api.raw(expectation), /^HTTP\/1\.1 417 Expectation Failed\r\n.*\r\nConnection: close\r\n/s);
  });

  test("behind requests that are whole is refused after their answers, and in the middle of one instead of it", async () => {
    await using api = await openWithImage(open);
    const garbage = "\0garbage\r\n\r\n";
    const get = "GET /v2/a/tags/list HTTP/1.1\r\nHost: x\r\n\r\n";
    const list = '{"name":"a","tags":["t"]}\n';
    const answers = await api.raw(get + get + garbage + garbage);
    assert.deepEqual(
      answers
        .split("HTTP/1.1 ")
        .slice(1)
        .map((answer) => answer.slice(0, 3)),
      ["200", "200", "400"],
    );
    assert.equal(answers.split(list).length, 3);
    assert.match(answers, /"detail":"the request is no valid HTTP"\}\]\}\n$/);
    const half = await api.raw(
      `${get}PUT /v2/a/manifests/half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx${garbage}`,
    );
    assert.match(half, /^HTTP\/1\.1 200 .*HTTP\/1\.1 400 Bad Request\r\n/s);
  });

  test("whose body is broken gets the answer that its head got", async () => {
    await using api = await openWithImage(open);
    for (const [path, status] of [
      ["/nowhere", 404],
      ["/v2/_catalog", 405],
    ]) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
      assert.match(await api.raw(`${head}ZZ\r\n`), new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });

  test("that asks for a tunnel gets none", async () => {
    await using api = await openWithImage(open);
    const answer = await unchanged(api, () => api.raw("CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
    const upgrade = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n";
    assert.match(await api.raw(upgrade), /^HTTP\/1\.1 200 /);
  });

  test("with a head of more than 16 KiB is refused", async () => {
    await using api = await openWithImage(open);
    for (const head of [`X: ${"x".repeat(20_000)}`, `${"A: b\r\n".repeat(4000)}B: c`]) {
      const answer = await api.raw(`DELETE /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
      assert.match(answer, /the request's head is longer than 16 KiB/);
    }
    assert.match(await api.raw(`GET /v2/${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
  });

  test("of HTTP/1.0 is served", async () => {
    await using api = await openWithImage(open);
    const answer = await api.raw("GET /v2/a/tags/list HTTP/1.0\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(answer.endsWith('\r\n\r\n{"name":"a","tags":["t"]}\n'));
  });

  test("that sends a header twice does not confuse anybody", async () => {
    await using api = await openWithImage(open);
    const send = (headers: string): Promise<string> =>
      api.raw(`GET /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    assert.match(await send('If-None-Match: "x"\r\nIf-None-Match: *\r\n'), /^HTTP\/1\.1 304 /);
    assert.match(await send("Accept: a/b\r\nAccept: c/d\r\n"), /^HTTP\/1\.1 200 /);
    const digest = await pushBlob(api, "a", Buffer.from("0123456789"));
    const ranges = `GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n`;
    assert.match(await api.raw(ranges), /^HTTP\/1\.1 (206|416) /);
    const session = await startUpload(api, "a");
    const chunk = `PATCH ${session} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nContent-Range: 0-1\r\nContent-Range: 5-6\r\n\r\nab`;
    assert.match(await unchanged(api, () => api.raw(chunk)), /^HTTP\/1\.1 400 /);
  });

  test("that leaves in the middle of a manifest stores nothing", async () => {
    await using api = await openWithImage(open);
    const body = JSON.stringify(await imageDocument(api, "a", { extra: { annotations: { x: "y" } } }));
    const head = `PUT /v2/a/manifests/new HTTP/1.1\r\nHost: x\r\nContent-Type: ${MediaType.ociManifest}\r\n`;
    await unchanged(api, async () => {
      await api.raw(`${head}Content-Length: ${body.length + 1}\r\n\r\n${body}`, "leave");
      await api.raw(`${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`, "leave");
      await api.raw(`${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\nzz\r\n`);
      expectError(await api.send("GET", "/v2/a/manifests/new"), 404, "MANIFEST_UNKNOWN");
    });
  });

  test("that sends more than it announced has no more stored than it announced", async () => {
    await using api = await open();
    const digest = digestOf(Buffer.from("0123"));
    const session = await startUpload(api, "a");
    const put = `PUT ${session}&digest=${digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n0123456789\r\n\r\n`;
    assert.match(await api.raw(put), /HTTP\/1\.1 400 Bad Request\r\n/);
    const { status, body } = await api.send("GET", `/v2/a/blobs/${digest}`);
    assert.ok(status === 404 || body.toString() === "0123", `${status}: ${body}`);
  });

  test("cannot smuggle a request in the body of a refused one", async () => {
    await using api = await openWithImage(open);
    const smuggled = "DELETE /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const length = `Content-Length: ${smuggled.length}`;
    for (const line of [
      "GET /v2/a/manifests/none",
      "PUT /v2/a/manifests/%zz",
      "PROPFIND /v2/",
      "PATCH /v2/a/blobs/uploads/x",
    ]) {
      const last = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      const answer = await api.raw(`${line} HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n${smuggled}${last}`);
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 2, answer);
      assert.ok(answer.endsWith("{}"));
    }
    assert.equal((await api.send("GET", "/v2/a/manifests/t")).status, 200);
  });

  test("with any path and query gets an answer that is no failure, and changes nothing by reading and deleting", async () => {
    await using api = await openWithImage(open, { deletion: false });
    const before = await contentsOf(api.driver);
    await fc.assert(
      fc.asyncProperty(anyTarget(), fc.constantFrom("GET", "HEAD", "DELETE", "OPTIONS"), async (target, method) => {
        const { status } = await api.send(method, target);
        assert.ok(status >= 200 && status < 500, `${method} ${target}: ${status}`);
      }),
      { numRuns: 300 },
    );
    assert.deepEqual(await contentsOf(api.driver), before);
  });
});

const indexDocument = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] };

/** With the repository `a` and its tag `t`. */
async function openWithImage(
  open: (options?: { deletion?: boolean }) => Promise<Api>,
  options: { deletion?: boolean } = {},
): Promise<Api> {
  const api = await open(options);
  await pushImage(api, "a", { reference: "t" });
  return api;
}

function anyTarget(): fc.Arbitrary<string> {
  const known = ["v2", "a", "t", "tags", "list", "manifests", "blobs", "uploads", "referrers", "_catalog", DIGEST, ""];
  const odd = ["..", ".", "%2e%2e", "%2F", "%00", "%", "%zz", "%25", "\\", "*", ";", "@", "_uploads", "x".repeat(300)];
  const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const part = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, fc.constantFrom(...odd), visible);
  const path = fc.array(part, { maxLength: 7 }).map((parts) => `/${parts.join("/")}`);
  const query = fc.oneof(
    fc.constant(""),
    visible.map((text) => `?${text}`),
    fc.constant(`?n=2&last=x&mount=${DIGEST}`),
  );
  return fc.tuple(fc.constantFrom("", "/v2/a"), path, query).map((parts) => parts.join(""));
}
