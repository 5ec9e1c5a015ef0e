/** What a client can put into the headers of an answer: nothing but what belongs there. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { SillyController } from "../../src/auth/silly.ts";
import { openToken } from "../../src/auth/token/open-token.ts";
import { parseConfig } from "../../src/config/load.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Answer, type Api, startApi } from "../support/api.ts";
import { pushBlob, pushImage, putManifest } from "../support/api-content.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { publicJwk } from "../support/tokens.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

/** As bytes of a header; a client's library would send none of them. */
const HOSTS: readonly string[] = [
  "good.example@evil.example",
  "user:password@evil.example",
  "evil.example/path",
  "evil.example\\path",
  "evil.example#",
  "evil.example?x=",
  "//evil.example",
  "\\\\evil.example",
  'evil.example"',
  ",evil.example",
  "evil.example;x",
  "evil example",
  "evil.example:99999999",
  "evil.example:80:80",
  "[::1",
  "[evil.example]",
  "%65vil.example",
  "\u00ebvil.example",
  "",
];

/** The answer to a request of HTTP/1 by hand. */
async function ask(api: Api, line: string, ...headers: readonly string[]): Promise<string> {
  const head = [`${line} HTTP/1.1`, ...headers, "Connection: close", "Content-Length: 0", "", ""].join("\r\n");
  return await api.raw(Buffer.from(head, "latin1"));
}

function headerOf(answer: string, name: string): string {
  return new RegExp(`\\r\\n${name}: ([^\\r]*)\\r\\n`, "i").exec(answer)?.[1] ?? "";
}

describe("header injection", () => {
  const LINES = [
    "%0d%0aX-Injected:%20yes",
    "%0aX-Injected:%20yes",
    "%0d%0a%0d%0a<b>",
    "%e5%98%8d%e5%98%8aX-Injected:%20yes",
    "%00",
    "%22",
  ];

  test("line breaks in names, tags, digests and parameters end no header, with access control and without", async () => {
    const silly = new SillyController({ realm: "r", service: "s" });
    for (const access of [undefined, silly]) {
      await using api = await startApi(new MemoryDriver(), { access });
      await pushTags(api, access === undefined);
      for (const line of LINES) {
        for (const [method, path] of [
          ["GET", `/v2/a${line}/tags/list`],
          ["GET", `/v2/a/manifests/t${line}`],
          ["GET", `/v2/a/blobs/sha256:${line}`],
          ["POST", `/v2/a/blobs/uploads/?mount=${DIGEST}&from=b${line}`],
          ["POST", `/v2/a/blobs/uploads/?digest=${DIGEST}${line}`],
          ["PUT", `/v2/a/manifests/${DIGEST}?tag=t${line}`],
          ["GET", `/v2/_catalog?n=1&last=a${line}`],
          ["GET", `/v2/a/tags/list?n=1&last=a${line}`],
          ["GET", `/v2/a/referrers/${DIGEST}?artifactType=x${line}`],
          ["GET", `/v2?x=${line}`],
          ["GET", `//v2/${line}?x=${line}`],
        ] as const) {
          expectClean(await api.send(method, path), path);
        }
      }
    }
  });

  test("annotations, media types and tags of a manifest stand in no header", async () => {
    await using api = await startApi(new MemoryDriver());
    const text = "x\r\nX-Injected: yes\r\n\r\n<script>";
    const { document } = await pushImage(api, "a", { extra: { annotations: { [text]: text }, artifactType: text } });
    for (const extra of [
      { mediaType: text },
      { subject: { mediaType: text, digest: DIGEST, size: 1, artifactType: text } },
    ]) {
      expectClean(
        await putManifest(api, "a", "t", { ...document, ...extra }, MediaType.ociManifest),
        JSON.stringify(extra),
      );
      expectClean(await api.send("GET", "/v2/a/manifests/t"), "the manifest");
    }
    expectClean(await api.send("GET", `/v2/a/referrers/${DIGEST}`), "its subject's referrers");
    expectClean(await putManifest(api, "a", "none", "{}", "text/html; x=<script>"), "another type");
  });

  test("configured headers that would break an answer stop the start", () => {
    for (const headers of [
      '{X-A: ["b\\r\\nX-Injected: c"]}',
      '{"X-A\\r\\nX-Injected": [b]}',
      '{"X A": [b]}',
      "{Content-Length: ['1']}",
      "{Transfer-Encoding: [chunked]}",
    ]) {
      assert.throws(
        () => parseConfig(`version: 0.1\nstorage: inmemory\nhttp: {headers: ${headers}}`, "c.yml", {}),
        headers,
      );
    }
  });

  async function pushTags(api: Api, mayPush: boolean): Promise<void> {
    if (!mayPush) return;
    for (const reference of ["t", "u"]) await pushImage(api, "a", { reference });
    await pushBlob(api, "b", Buffer.from("x"));
  }

  function expectClean({ status, headers, rawHeaders }: Answer, what: string): void {
    assert.ok(status < 500, `${what}: ${status}`);
    assert.equal(headers["x-injected"], undefined, what);
    for (const text of rawHeaders) assert.match(text, /^[\x20-\x7e\x80-\xff]*$/, what);
  }
});

describe("open redirects", () => {
  test("a path, however it is written, leads to a path of this server", async () => {
    await using api = await startApi(new MemoryDriver(), { protocol: "http" });
    const paths = [
      "//evil.example",
      "///evil.example/",
      "/./\\evil.example",
      "//evil.example/..",
      "/.//evil.example",
      "/%2f/evil.example/./",
      "/\\evil.example//",
      "//evil.example/v2",
      "/v2/..//evil.example",
      "/%5cevil.example/./",
      "http://evil.example",
      "http://evil.example//evil.example",
      "https:///evil.example",
      "//user@evil.example/%2e%2e",
      "/;//evil.example",
      "/v2//?x=//evil.example",
    ];
    for (const path of paths) {
      const location = headerOf(await ask(api, `GET ${path}`, "Host: good.example"), "Location");
      assert.match(location, /^(?:|\/(?![/\\]).*)$/, `${path}: ${location}`);
      if (location !== "") assert.equal(new URL(location, "http://good.example/").host, "good.example", path);
    }
  });

  test("a Host that is none is in no Location: it is a path then", async () => {
    await using api = await startApi(new MemoryDriver(), { protocol: "http" });
    for (const host of HOSTS) {
      for (const header of [
        `Host: ${host}`,
        `Host: good.example\r\nX-Forwarded-Host: ${host}`,
        `Host: good.example\r\nForwarded: host="${host.replaceAll(/["\\]/g, "\\$&")}"`,
      ]) {
        const answer = await ask(api, "POST /v2/a/blobs/uploads/", header);
        const location = headerOf(answer, "Location");
        assert.match(location, /^(?:http:\/\/good\.example)?\/v2\/a\/blobs\/uploads\/|^$/, header);
        assert.ok(location !== "" || /^HTTP\/1\.1 400 /.test(answer), header);
      }
    }
  });

  test("a proxy that nobody listed says nothing where there is a list", async () => {
    const config = parseConfig(
      "version: 0.1\nstorage: inmemory\nwharfinger: {trustedproxies: [10.0.0.1]}",
      "c.yml",
      {},
    );
    assert.deepEqual(config.config.wharfinger.trustedproxies, ["10.0.0.1"]);
    const { TrustedProxies } = await import("../../src/http/forwarding.ts");
    await using api = await startApi(new MemoryDriver(), {
      protocol: "http",
      trustedProxies: new TrustedProxies(["10.0.0.1"]),
    });
    for (const header of [
      "X-Forwarded-Host: evil.example",
      "Forwarded: host=evil.example",
      "X-Forwarded-Proto: https",
    ]) {
      const answer = await ask(api, "POST /v2/a/blobs/uploads/", "Host: good.example", header);
      assert.match(headerOf(answer, "Location"), /^http:\/\/good\.example\//, header);
    }
  });

  test("a realm made of the Host is one URL in quotes, or the Host is left out", async () => {
    await using folder = await temporaryFolder("realm");
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFile(folder.join("jwks"), JSON.stringify({ keys: [publicJwk(publicKey)] }));
    const places = { realm: "https://auth.example/token", service: "s", issuer: "i", jwks: folder.join("jwks") };
    const access = await openToken({ ...places, autoredirect: true, signingalgorithms: [] }, () => undefined);
    await using api = await startApi(new MemoryDriver(), { protocol: "http", access });
    for (const host of [...HOSTS, "good.example", "good.example:8443"]) {
      const answer = await ask(api, "GET /v2/", `Host: ${host}`);
      if (/^HTTP\/1\.1 400 /.test(answer)) continue;
      const [, realm = ""] = /^Bearer realm="([^"\\]*)",service="s"$/.exec(headerOf(answer, "WWW-Authenticate")) ?? [];
      assert.ok(URL.canParse(realm), `${host}: ${answer}`);
      const { protocol, username, password, pathname } = new URL(realm);
      assert.deepEqual([protocol, username, password], ["https:", "", ""]);
      assert.match(pathname, /^\/(?:auth\/)?token$/);
    }
  });
});

describe("browsers", () => {
  test("CORS: no answer allows another origin anything, unless http.headers says so", async () => {
    const origin = { Origin: "https://evil.example", "Access-Control-Request-Method": "DELETE" };
    await using api = await startApi(new MemoryDriver());
    const { digest } = await pushImage(api, "a", { reference: "t" });
    const paths = [
      "/",
      "/v2/",
      "/v2/_catalog",
      "/v2/a/tags/list",
      "/v2/a/manifests/t",
      `/v2/a/manifests/${digest}`,
      "/v2/none/tags/list",
      "/nowhere",
      "//v2/",
    ];
    for (const path of paths) {
      for (const method of ["OPTIONS", "GET", "HEAD", "DELETE"]) {
        const { headers } = await api.send(method, path, { headers: origin });
        assert.deepEqual(
          Object.keys(headers).filter((name) => name.startsWith("access-control")),
          [],
        );
        assert.doesNotMatch(JSON.stringify(headers), /evil/);
      }
    }
    await using open = await startApi(new MemoryDriver(), {
      headers: { "Access-Control-Allow-Origin": ["https://ui.example"] },
    });
    const { headers } = await open.send("GET", "/v2/", { headers: origin });
    assert.equal(headers["access-control-allow-origin"], "https://ui.example");
    assert.equal(headers["access-control-allow-credentials"], undefined);
  });

  test("CVE-2019-19025: no answer sets a cookie, and none is taken for a login", async () => {
    await using api = await startApi(new MemoryDriver(), { access: new SillyController({ realm: "r", service: "s" }) });
    const { status } = await api.send("POST", "/v2/a/blobs/uploads/", {
      headers: { Cookie: "Authorization=x; token=x" },
    });
    assert.equal(status, 401);
    const { headers } = await api.send("GET", "/v2/", { headers: { Authorization: "x", Cookie: "a=b" } });
    assert.equal(headers["set-cookie"], undefined);
  });

  test("GHSA-f9vc-vf3r-pqqq: nothing that clients stored or sent is answered as a page", async () => {
    await using api = await startApi(new MemoryDriver());
    const page = "<!doctype html><script>alert(1)</script>";
    const digest = await pushBlob(api, "a", Buffer.from(page));
    await pushImage(api, "a", { reference: "t", extra: { annotations: { page }, artifactType: "text/html" } });
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"]) {
      for (const body of [page, JSON.stringify({ schemaVersion: 2, mediaType: type, page })]) {
        assert.equal((await putManifest(api, "a", "x", body, type)).status, 400);
      }
    }
    const query = encodeURIComponent(page);
    for (const path of [
      `/v2/a/blobs/${digest}`,
      "/v2/a/manifests/t",
      `/v2/a/manifests/${query}`,
      `/v2/${query}/tags/list`,
      `/${query}`,
      `/v2/_catalog?n=${query}`,
    ]) {
      const { headers } = await api.send("GET", path, { headers: { Accept: "text/html" } });
      const type = String(headers["content-type"]);
      assert.match(
        type,
        /^(?:application\/(?:octet-stream|json|vnd\.[\w.+-]+\+json)|text\/plain; charset=utf-8)$/,
        path,
      );
      if (type.startsWith("text/")) assert.equal(headers["x-content-type-options"], "nosniff", path);
    }
  });
});
