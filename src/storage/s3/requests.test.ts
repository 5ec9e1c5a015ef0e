import assert from "node:assert/strict";
import { generateKeyPairSync, hash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { type RecordingS3, type Sent, startRecordingS3 } from "../../../test/support/recording-s3.ts";
import { canRedirect } from "../driver.ts";
import { redirectToCloudfront } from "../middleware/cloudfront.ts";
import { openS3 } from "../s3.ts";

async function listen(t: TestContext): Promise<RecordingS3> {
  const server = await startRecordingS3();
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

async function doAll(endpoint: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
  const least = { bucket: "b", accesskey: "a", secretkey: "s", regionendpoint: endpoint };
  await using driver = await openS3({ ...least, ...parameters });
  await driver.putContent("/object", Buffer.from("x"));
  await driver.beginStaged("/object");
  await driver.move("/object", "/target");
  await driver.delete("/object");
}

function made(sent: readonly Sent[]): readonly Sent[] {
  return sent.filter(({ method, url }) => method === "PUT" || (url?.includes("uploads") && method === "POST"));
}

test("what makes an object carries type, class, encryption and access as the parameters say", async (t) => {
  const { sent, endpoint } = await listen(t);
  await doAll(endpoint, { encrypt: true, keyid: "key", storageclass: "STANDARD_IA", objectacl: "bucket-owner-read" });
  assert.equal(made(sent).length, 3);
  for (const { headers } of made(sent)) {
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.equal(headers["x-amz-server-side-encryption"], "aws:kms");
    assert.equal(headers["x-amz-server-side-encryption-aws-kms-key-id"], "key");
    assert.equal(headers["x-amz-storage-class"], "STANDARD_IA");
    assert.equal(headers["x-amz-acl"], "bucket-owner-read");
  }
});

test("encryption without a key of KMS is that of S3, and a key without encryption is none", async (t) => {
  for (const [encrypt, algorithm] of [
    [true, "AES256"],
    [false, undefined],
  ] as const) {
    const { sent, endpoint } = await listen(t);
    await doAll(endpoint, encrypt ? { encrypt } : { encrypt, keyid: "key" });
    for (const { headers } of made(sent)) {
      assert.equal(headers["x-amz-server-side-encryption"], algorithm);
      assert.equal(headers["x-amz-server-side-encryption-aws-kms-key-id"], undefined);
    }
  }
});

test("what S3 does by itself is not asked for, nor a checksum that peers could not go on with", async (t) => {
  const { sent, endpoint } = await listen(t);
  await doAll(endpoint, { encrypt: false, storageclass: "NONE" });
  await doAll(endpoint, { storageclass: "STANDARD", objectacl: "private" });
  for (const { headers } of made(sent)) {
    const names = Object.keys(headers).filter((name) => /storage-class|encryption|acl|checksum|trailer/.test(name));
    assert.deepEqual(names, []);
    assert.match(headers["x-amz-content-sha256"] as string, /^[0-9a-f]{64}$/);
  }
});

test("a batch of deletes carries the sum that older servers demand", async (t) => {
  const { sent, endpoint } = await listen(t);
  await doAll(endpoint, {});
  const batch = sent.find(({ url }) => url?.includes("delete"));
  assert.equal(batch?.headers["content-md5"], hash("md5", batch?.body ?? "", "base64"));
});

test("the agent's name, the path style and the root directory are those of the parameters", async (t) => {
  const { sent, endpoint } = await listen(t);
  await doAll(endpoint, { useragent: "our-registry/1", rootdirectory: "/team/images/" });
  const put = sent.find(({ method }) => method === "PUT");
  assert.equal(put?.url?.split("?")[0], "/b/team/images/object");
  assert.match(put?.headers["user-agent"] ?? "", /our-registry\/1/);
});

test("the URLs of CloudFront have the root directory of the bucket's keys", async (t) => {
  const { endpoint } = await listen(t);
  const { privateKey: key } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const options = { baseurl: new URL("https://cdn.test/images"), key, keypairid: "K" };
  for (const [rootdirectory, expected] of [
    ["/team/images/", "/images/team/images/docker/registry/v2/blobs/data"],
    ["", "/images/docker/registry/v2/blobs/data"],
  ] as const) {
    const s3 = await openS3({ bucket: "b", accesskey: "a", secretkey: "s", regionendpoint: endpoint, rootdirectory });
    await using driver = redirectToCloudfront(s3, options);
    assert.ok(canRedirect(driver));
    const url = await driver.redirectUrl("/docker/registry/v2/blobs/data", { method: "GET" });
    assert.equal(url?.pathname, expected);
    assert.ok(url?.searchParams.has("Signature"));
  }
});

test("a line for each call is written where the log level asks for it, without secrets", async (t) => {
  const { endpoint } = await listen(t);
  const lines: string[] = [];
  const parameters = { bucket: "b", accesskey: "AKEY", secretkey: "SECRET", regionendpoint: endpoint };
  const debug = (line: string): void => void lines.push(line);
  await using quiet = await openS3(parameters, { debug });
  await quiet.putContent("/object", Buffer.from("x"));
  assert.deepEqual(lines, []);
  await using driver = await openS3({ ...parameters, loglevel: "debugwithhttpbody" }, { debug });
  await driver.putContent("/object", Buffer.from("content"));
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? "", /^PutObject object: done in \d+ ms$/);
});
