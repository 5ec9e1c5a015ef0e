import assert from "node:assert/strict";
import { test } from "node:test";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { createClient, PATIENCE } from "./client.ts";
import { parseS3Parameters } from "./parameters.ts";
import { presigner } from "./redirects.ts";

const KEYS = { bucket: "registry", accesskey: "a", secretkey: "s" };

/** Where a request for the object `key` would go. Nothing is sent. */
async function targetOf(values: Readonly<Record<string, unknown>>): Promise<string> {
  const client = createClient(parseS3Parameters({ ...KEYS, ...values }), PATIENCE);
  let target = "";
  client.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as Record<string, unknown>;
      target = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`;
      return { response: {}, output: { $metadata: {} } } as never;
    },
    { step: "deserialize", priority: "high" },
  );
  await client.send(new GetObjectCommand({ Bucket: "registry", Key: "key" }));
  client.destroy();
  return target;
}

const IRELAND = { region: "eu-west-1" };

for (const [what, values, expected] of [
  ["a region", IRELAND, "https://registry.s3.eu-west-1.amazonaws.com/key"],
  ["forcepathstyle", { ...IRELAND, forcepathstyle: true }, "https://s3.eu-west-1.amazonaws.com/registry/key"],
  ["accelerate", { ...IRELAND, accelerate: true }, "https://registry.s3-accelerate.amazonaws.com/key"],
  ["usedualstack", { ...IRELAND, usedualstack: "true" }, "https://registry.s3.dualstack.eu-west-1.amazonaws.com/key"],
  [
    "accelerate with usedualstack",
    { ...IRELAND, accelerate: true, usedualstack: true },
    "https://registry.s3-accelerate.dualstack.amazonaws.com/key",
  ],
  [
    "usefipsendpoint",
    { region: "us-east-1", usefipsendpoint: true },
    "https://registry.s3-fips.us-east-1.amazonaws.com/key",
  ],
  [
    "usefipsendpoint with usedualstack",
    { region: "us-east-1", usefipsendpoint: true, usedualstack: true },
    "https://registry.s3-fips.dualstack.us-east-1.amazonaws.com/key",
  ],
  ["a region of China", { region: "cn-north-1" }, "https://registry.s3.cn-north-1.amazonaws.com.cn/key"],
  ["secure: false", { ...IRELAND, secure: false }, "http://registry.s3.eu-west-1.amazonaws.com/key"],
  ["another server", { regionendpoint: "s3.test:9000" }, "https://s3.test:9000/registry/key"],
  [
    "another server, secure: false",
    { regionendpoint: "s3.test:9000", secure: false },
    "http://s3.test:9000/registry/key",
  ],
  [
    "another server with buckets as hosts",
    { regionendpoint: "https://s3.test", forcepathstyle: false },
    "https://registry.s3.test/key",
  ],
  ["v4auth: true", { ...IRELAND, v4auth: "true" }, "https://registry.s3.eu-west-1.amazonaws.com/key"],
] as const) {
  test(`with ${what} S3 is at ${expected}`, async () => {
    assert.equal(await targetOf(values), expected);
    const presigned = await presigner(parseS3Parameters({ ...KEYS, ...values }), PATIENCE)("GET", "key");
    assert.equal(presigned.href.split("?")[0], expected, "clients are redirected to the same place");
  });
}
