import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { registryContract } from "../contract/registry.ts";
import type { Api } from "../support/api.ts";
import { imageDocument, pushBlob, putManifest, startUpload } from "../support/api-content.ts";

registryContract("URLs that the registry generates", (open) => {
  const bases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["the Host of the request", { Host: "reg.example:5000" }, "http://reg.example:5000"],
    ["X-Forwarded-Proto", { Host: "a", "X-Forwarded-Proto": "https" }, "https://a"],
    ["the first X-Forwarded-Proto", { Host: "a", "X-Forwarded-Proto": "https, http" }, "https://a"],
    ["no X-Forwarded-Proto but http and https", { Host: "a", "X-Forwarded-Proto": "javascript" }, "http://a"],
    ["the first X-Forwarded-Host", { Host: "a", "X-Forwarded-Host": " b.example:1 , c" }, "http://b.example:1"],
    ["no X-Forwarded-Host that is none", { Host: "a", "X-Forwarded-Host": "b/c?d" }, "http://a"],
    ["Forwarded", { Host: "a", Forwarded: "for=1.2.3.4;proto=https;host=f.example" }, "https://f.example"],
    ["the first of Forwarded", { Host: "a", Forwarded: "host=f;proto=https, host=g;proto=http" }, "https://f"],
    ["a quoted Forwarded", { Host: "a", Forwarded: 'host="[::1]:5000";Proto=HTTPS' }, "https://[::1]:5000"],
    [
      "Forwarded before X-Forwarded",
      { Host: "a", Forwarded: "proto=https", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "http" },
      "https://a",
    ],
    [
      "neither a malformed Forwarded nor X-Forwarded beside it",
      { Host: "a", Forwarded: "proto=https;;=", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "https" },
      "http://a",
    ],
    ["no X-Forwarded-Prefix and -Port", { Host: "a", "X-Forwarded-Prefix": "/p", "X-Forwarded-Port": "9" }, "http://a"],
  ];

  for (const [title, headers, base] of bases) {
    test(`follow ${title}`, async () => {
      await using api = await open();
      await expectBase(api, headers, base);
    });
  }

  test("follow http.host and nothing else, relativeurls included", async () => {
    await using api = await open({ host: "https://hub.example:8443", relative: true });
    const headers = { Host: "a", Forwarded: "host=f", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "http" };
    await expectBase(api, headers, "https://hub.example:8443");
  });

  test("are paths where relativeurls is on", async () => {
    await using api = await open({ relative: true });
    await expectBase(api, { Host: "a", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "https" }, "");
  });

  test("are paths for a client that names no host", async () => {
    await using api = await open();
    const answer = await api.raw("POST /v2/a/blobs/uploads/ HTTP/1.0\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 202 /);
    assert.match(answer, /\r\nLocation: \/v2\/a\/blobs\/uploads\/[0-9a-f-]+\?_state=/);
  });

  test("stay relative in Link", async () => {
    await using api = await open({ host: "https://hub.example" });
    for (const name of ["a", "b"]) await pushBlob(api, name, Buffer.from("x"));
    const answer = await api.send("GET", "/v2/_catalog?n=1");
    assert.equal(answer.headers.link, '</v2/_catalog?last=a&n=1>; rel="next"');
  });
});

/** Of an upload, a blob and a manifest. */
async function expectBase(api: Api, headers: Readonly<Record<string, string>>, base: string): Promise<void> {
  const started = await api.send("POST", "/v2/n/a/blobs/uploads/", { headers });
  const uploads = `${base}/v2/n/a/blobs/uploads/`;
  assert.equal(started.headers.location?.slice(0, uploads.length), uploads);
  const digest = digestOf(Buffer.from("x"));
  const session = await startUpload(api, "n/a");
  const blob = await api.send("PUT", `${session}&digest=${digest}`, { headers, body: "x" });
  assert.equal(blob.headers.location, `${base}/v2/n/a/blobs/${digest}`);
  const bytes = Buffer.from(JSON.stringify(await imageDocument(api, "n/a")));
  const manifest = await putManifest(api, "n/a", "t", bytes, MediaType.ociManifest, headers);
  assert.equal(manifest.headers.location, `${base}/v2/n/a/manifests/${digestOf(bytes)}`);
}
