import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseS3Parameters, s3Ignored, s3Problems } from "./parameters.ts";

const LEAST = { bucket: "registry", region: "eu-west-1" };

test("a bucket and a region are enough, and the rest is as the peers have it", () => {
  assert.deepEqual(parseS3Parameters(LEAST), {
    credentials: undefined,
    region: "eu-west-1",
    endpoint: undefined,
    forcePathStyle: false,
    bucket: "registry",
    rootdirectory: "",
    encrypt: false,
    keyId: undefined,
    secure: true,
    skipVerify: false,
    chunkSize: 10_485_760,
    copyChunkSize: 33_554_432,
    copyConcurrency: 100,
    copyThreshold: 33_554_432,
    storageClass: "STANDARD",
    acl: "private",
    userAgent: "wharfinger",
    accelerate: false,
    dualStack: false,
    fips: false,
    logLevel: "off",
    redirectEndpoint: undefined,
  });
});

test("values are taken as they are and as text, as variables give them", () => {
  const asText = {
    bucket: "b",
    regionendpoint: "minio:9000",
    secure: "false",
    encrypt: "true",
    keyid: "key",
    chunksize: "5242880",
    multipartcopythresholdsize: "0",
    storageclass: "glacier_ir",
    loglevel: false,
  };
  const asIs = { ...asText, secure: false, encrypt: true, chunksize: 5_242_880, multipartcopythresholdsize: 0 };
  assert.deepEqual(parseS3Parameters(asText), parseS3Parameters(asIs));
  const { chunkSize, encrypt, storageClass, logLevel } = parseS3Parameters(asText);
  assert.deepEqual([chunkSize, encrypt, storageClass, logLevel], [5_242_880, true, "GLACIER_IR", "off"]);
});

test("another server needs no region, gets the path style, and the scheme that secure says where it has none", () => {
  for (const [endpoint, secure, expected] of [
    ["minio:9000", undefined, "https://minio:9000/"],
    ["minio:9000", false, "http://minio:9000/"],
    ["http://minio:9000", true, "http://minio:9000/"],
    ["https://project.example/storage/v1/s3", true, "https://project.example/storage/v1/s3"],
  ] as const) {
    const parameters = parseS3Parameters({ bucket: "b", regionendpoint: endpoint, secure });
    assert.equal(parameters.endpoint?.href, expected);
    assert.equal(parameters.region, "us-east-1");
    assert.equal(parameters.forcePathStyle, true);
  }
  const virtual = parseS3Parameters({ bucket: "b", regionendpoint: "s3.example", forcepathstyle: "false" });
  assert.equal(virtual.forcePathStyle, false);
});

test("one key of two is none, and slashes around the root directory do not count", () => {
  assert.equal(parseS3Parameters({ ...LEAST, accesskey: "a" }).credentials, undefined);
  const { credentials, rootdirectory } = parseS3Parameters({
    ...LEAST,
    accesskey: "a",
    secretkey: 12,
    rootdirectory: "/team/images/",
  });
  assert.deepEqual(credentials, { accessKeyId: "a", secretAccessKey: "12" });
  assert.equal(rootdirectory, "team/images");
});

describe("a parameter that is wrong is named, with what it is and what it may be", () => {
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ region: "eu-west-1" }, "storage.s3.bucket is missing, must be the name of a bucket"],
    [
      { bucket: "b" },
      "storage.s3.region is missing, must be the name of a region of Amazon, such as eu-west-1, or regionendpoint for another server",
    ],
    [
      { ...LEAST, region: "us-east1" },
      'storage.s3.region is "us-east1", must be the name of a region of Amazon, such as eu-west-1',
    ],
    [
      { ...LEAST, chunksize: 5_242_879 },
      'storage.s3.chunksize is "5242879", must be a whole number from 5242880 to 5368709120',
    ],
    [
      { ...LEAST, multipartcopychunksize: "32MB" },
      'storage.s3.multipartcopychunksize is "32MB", must be a whole number from 5242880 to 5368709120',
    ],
    [
      { ...LEAST, multipartcopymaxconcurrency: 0 },
      'storage.s3.multipartcopymaxconcurrency is "0", must be a whole number from 1 to 10000',
    ],
    [
      { ...LEAST, multipartcopythresholdsize: -1 },
      'storage.s3.multipartcopythresholdsize is "-1", must be a whole number from 0 to 5368709120',
    ],
    [{ ...LEAST, encrypt: "yes" }, 'storage.s3.encrypt is "yes", must be true or false'],
    [
      { ...LEAST, storageclass: "COLD" },
      'storage.s3.storageclass is "COLD", must be one of NONE, STANDARD, REDUCED_REDUNDANCY, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, OUTPOSTS, GLACIER_IR, EXPRESS_ONEZONE',
    ],
    [
      { ...LEAST, objectacl: "Private" },
      'storage.s3.objectacl is "Private", must be one of private, public-read, public-read-write, authenticated-read, aws-exec-read, bucket-owner-read, bucket-owner-full-control',
    ],
    [
      { ...LEAST, v4auth: false },
      "storage.s3.v4auth is false, must be true: signatures of version 2 are not supported",
    ],
    [
      { ...LEAST, regionendpoint: "ftp://s3.example" },
      'storage.s3.regionendpoint is "ftp://s3.example", must be scheme, host and port of a server, such as https://s3.example:9000',
    ],
    [
      { ...LEAST, redirectendpoint: "https://cdn.example/path" },
      'storage.s3.redirectendpoint is "https://cdn.example/path", must be scheme, host and port of a server, such as https://s3.example:9000',
    ],
    [
      { ...LEAST, rootdirectory: { a: 1 } },
      'storage.s3.rootdirectory is {"a":1}, must be a text, a number, true or false',
    ],
    [
      { ...LEAST, loglevel: "info" },
      'storage.s3.loglevel is "info", must be one of off, debug, debugwithsigning, debugwithhttpbody, debugwithrequestretries, debugwithrequesterrors, debugwitheventstreambody',
    ],
  ];
  for (const [values, sentence] of cases) {
    test(sentence, () => {
      assert.throws(() => parseS3Parameters(values), { name: "StorageError", message: `s3: ${sentence}` });
    });
  }
});

test("all that is wrong is told at once, and nothing where nothing is", () => {
  const values = { chunksize: 1, encrypt: "perhaps", storageclass: "COLD", rootdirectory: [] };
  assert.deepEqual(
    s3Problems(values).map(({ key }) => key),
    ["region", "bucket", "rootdirectory", "encrypt", "chunksize", "storageclass"],
  );
  assert.deepEqual(s3Problems(LEAST), []);
});

test("a URL that may hold a password is not shown", () => {
  const [problem, ...others] = s3Problems({ bucket: "b", regionendpoint: "https://me:hunter2@s3.example" });
  assert.deepEqual([problem?.key, others], ["regionendpoint", []]);
  assert.doesNotMatch(problem?.sentence ?? "", /hunter2/);
});

test("what counts only with another parameter is told where that is not there", () => {
  const keysOf = (values: Readonly<Record<string, unknown>>): readonly string[] =>
    s3Ignored(values).map(({ key }) => key);
  assert.deepEqual(keysOf({ accesskey: "a" }), ["accesskey"]);
  assert.deepEqual(keysOf({ secretkey: "s", accesskey: "" }), ["secretkey"]);
  assert.deepEqual(keysOf({ keyid: "k" }), ["keyid"]);
  assert.deepEqual(keysOf({ keyid: "k", encrypt: "false" }), ["keyid"]);
  assert.deepEqual(keysOf({ accesskey: "a", secretkey: "s", keyid: "k", encrypt: true }), []);
  assert.deepEqual(keysOf(LEAST), []);
  assert.equal(
    s3Ignored({ keyid: "k" })[0]?.sentence,
    "counts only with encrypt: true, and is ignored, as by the peers: nothing is encrypted with it",
  );
});
