/** What a push and a pull cost in requests to S3 and in bytes, as docs/decisions/0009-s3-uploads.md and 0015-direct-uploads.md have it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { openS3 } from "../../src/storage/s3.ts";
import { type Api, startApi } from "../support/api.ts";
import { locationOf, noise, sameBytes, startUpload } from "../support/api-content.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, gatewayParameters, startGateway } from "../support/versitygw.ts";

const MIB = 2 ** 20;

describe("what S3 is asked for", () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let api: Api;
  before(async () => {
    gateway = await startGateway();
    proxy = await startFaultProxy(gateway.port);
    const driver = await openS3(gatewayParameters(proxy.port, { rootdirectory: randomUUID() }));
    Object.defineProperty(driver, "redirectUrl", { value: undefined }); // the bytes are to come from us
    api = await startApi(driver);
  });
  after(async () => {
    for (const one of [api, proxy, gateway]) await one[Symbol.asyncDispose]();
  });

  const asked = (): readonly string[] => proxy.requests.map(({ operation }) => operation).sort();
  const sum = (which: "sent" | "received"): number => proxy.requests.reduce((all, one) => all + one[which], 0);

  test("a layer of 25 MiB: 21 requests, its bytes once to S3 and never back", async () => {
    const bytes = noise(25 * MIB);
    proxy.forget();
    let session = await startUpload(api, "a");
    session = locationOf(await api.send("PATCH", session, { body: bytes }));
    const answer = await api.send("PUT", `${session}&digest=${digestOf(bytes)}`);
    assert.equal(answer.status, 201);
    assert.deepEqual(asked(), [
      "CompleteMultipartUpload",
      "CopyObject",
      "CreateMultipartUpload",
      "DeleteObjects",
      "GetObject",
      "GetObject",
      "HeadObject",
      "HeadObject",
      "ListMultipartUploads",
      "ListObjectsV2",
      "ListParts",
      "ListParts",
      "ListParts",
      "ListParts",
      "ListParts",
      "PutObject",
      "PutObject",
      "PutObject",
      "UploadPart",
      "UploadPart",
      "UploadPart",
    ]);
    assert.ok(sum("sent") < bytes.length + 10_000, `${sum("sent")} bytes sent`);
    assert.ok(sum("received") < 20_000, `${sum("received")} bytes received`);

    proxy.forget();
    sameBytes((await api.send("GET", locationOf(answer))).body, bytes);
    assert.deepEqual(asked(), ["GetObject", "GetObject", "HeadObject"]);
    proxy.forget();
    assert.equal((await api.send("HEAD", locationOf(answer))).status, 200);
    assert.deepEqual(asked(), ["GetObject", "HeadObject"]);
  });

  const SESSION = ["CreateMultipartUpload", "GetObject", "ListParts", "PutObject"]; // begun, and looked at
  const END = ["AbortMultipartUpload", "DeleteObjects", "ListMultipartUploads", "ListObjectsV2"];
  const LINK = ["PutObject"];
  const whole: readonly (readonly [bytes: number, requests: readonly string[]])[] = [
    [1024, ["PutObject"]],
    [10 * MIB, ["PutObject"]],
    [25 * MIB, ["CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPart", "UploadPart"]],
  ];
  for (const [length, blob] of whole) {
    test(`${length} bytes with their digest: ${blob.length} requests for them and no copy, one for the link, 8 for a session`, async () => {
      const bytes = noise(length);
      proxy.forget();
      const session = await startUpload(api, "a");
      assert.equal((await api.send("PUT", `${session}&digest=${digestOf(bytes)}`, { body: bytes })).status, 201);
      assert.deepEqual(asked(), [...SESSION, ...blob, ...LINK, ...END].sort());
      assert.ok(sum("sent") < bytes.length + 10_000, `${sum("sent")} bytes sent`);
      assert.ok(sum("received") < 20_000, `${sum("received")} bytes received`);
      proxy.forget();
      const target = `/v2/a/blobs/uploads/?digest=${digestOf(bytes)}`;
      assert.equal((await api.send("POST", target, { body: bytes })).status, 201);
      assert.deepEqual(asked(), [...blob, ...LINK].sort());
    });
  }
});
