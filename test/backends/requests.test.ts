/** What a push and a pull cost in requests to S3 and in bytes, as docs/decisions/0009-s3-uploads.md has it. */
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

  test("a layer of 25 MiB: 22 requests, its bytes once to S3 and never back", async () => {
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
});
