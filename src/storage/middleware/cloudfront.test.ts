import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { describe, it } from "node:test";
import { startIpRanges } from "../../../test/support/ip-ranges.ts";
import { type BucketDriver, canRedirect, type RedirectingDriver, type StorageDriver } from "../driver.ts";
import { MemoryDriver } from "../memory.ts";
import { type CloudfrontOptions, redirectToCloudfront } from "./cloudfront.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const NOW = Date.parse("2026-11-20T12:00:00.999Z");
const OPTIONS: CloudfrontOptions = {
  baseurl: new URL("https://d111111abcdef8.cloudfront.net"),
  key: privateKey,
  keypairid: "K2JCJMDEHXQW5F",
  now: () => NOW,
};

class Bucket extends MemoryDriver implements BucketDriver {
  disposed = false;
  readonly #root: string;

  constructor(root = "") {
    super();
    this.#root = root;
  }

  bucketKey(path: string): string {
    return this.#root + path.slice(1);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}

class PresigningBucket extends Bucket implements RedirectingDriver {
  async redirectUrl(path: string): Promise<URL> {
    return new URL(path, "https://bucket.test");
  }
}

async function urlOf(driver: StorageDriver, client?: string): Promise<URL | undefined> {
  assert.ok(canRedirect(driver));
  return await driver.redirectUrl("/docker/a", { method: "GET", client });
}

/** What the signature of a URL is good for, as CloudFront finds out. */
function assertSigned(url: URL | undefined, resource: string, expires: number): void {
  const { searchParams, href } = url ?? assert.fail("no URL");
  assert.equal(href.split("?")[0], resource);
  assert.deepEqual([...searchParams.keys()], ["Expires", "Signature", "Key-Pair-Id"]);
  assert.equal(searchParams.get("Expires"), String(expires));
  assert.equal(searchParams.get("Key-Pair-Id"), OPTIONS.keypairid);
  const text = searchParams.get("Signature") ?? "";
  assert.match(text, /^[A-Za-z\d~_-]{344}$/);
  const signature = Buffer.from(text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"), "base64");
  const policy = `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
  assert.ok(verify("RSA-SHA1", Buffer.from(policy), publicKey, signature));
}

const NOON = Date.parse("2026-11-20T12:00:00Z") / 1000;

describe("CloudFront in front of a bucket", () => {
  it("has URLs with a canned policy that are good for twenty minutes", async () => {
    const url = await urlOf(redirectToCloudfront(new Bucket(), OPTIONS));
    assertSigned(url, "https://d111111abcdef8.cloudfront.net/docker/a", NOON + 1200);
  });

  it("has them for as long as it is told, below the path it is told, with the whole key in the bucket", async () => {
    const baseurl = new URL("http://cdn.test:8080/images");
    const driver = redirectToCloudfront(new Bucket("my root/ä/"), { ...OPTIONS, baseurl, duration: 1500 });
    assertSigned(await urlOf(driver), "http://cdn.test:8080/images/my%20root/%C3%A4/docker/a", NOON + 2);
  });

  it("is not gone through by clients in Amazon's network where that is wished", async () => {
    await using list = await startIpRanges([["198.51.100.0/24", "us-east-1"]]);
    for (const [options, direct] of [
      [{ ipfilteredby: "aws" }, true],
      [{ ipfilteredby: "awsregion", awsregion: ["eu-west-1", "US-East-1"] }, true],
      [{ ipfilteredby: "awsregion", awsregion: ["eu-west-1"] }, false],
      [{ ipfilteredby: "none" }, false],
      [{}, false],
    ] as const) {
      const bucket = new PresigningBucket();
      const read = Promise.withResolvers<void>();
      let signal: AbortSignal | undefined;
      const wait = async (_ms: number, given: AbortSignal): Promise<boolean> => {
        signal = given;
        read.resolve();
        return false;
      };
      const driver = redirectToCloudfront(bucket, { ...OPTIONS, ...options, iprangesurl: list.url, wait });
      if ("ipfilteredby" in options && options.ipfilteredby !== "none") await read.promise;
      const host = direct ? "bucket.test" : OPTIONS.baseurl.host;
      assert.equal((await urlOf(driver, "198.51.100.7"))?.host, host, JSON.stringify(options));
      assert.equal((await urlOf(driver, "192.0.2.1"))?.host, OPTIONS.baseurl.host);
      assert.equal((await urlOf(driver))?.host, OPTIONS.baseurl.host);
      await driver[Symbol.asyncDispose]();
      assert.ok(bucket.disposed);
      assert.notEqual(signal?.aborted, false, "the list is not read any more");
    }
    assert.equal(list.requests, 3);
  });

  it("sends nobody anywhere who is to go to a bucket that has no URLs", async () => {
    await using list = await startIpRanges([["198.51.100.0/24", "us-east-1"]]);
    const { promise, resolve } = Promise.withResolvers<void>();
    const options = { ...OPTIONS, ipfilteredby: "aws", iprangesurl: list.url } as const;
    const wait = async (): Promise<boolean> => {
      resolve();
      return false;
    };
    await using driver = redirectToCloudfront(new Bucket(), { ...options, wait });
    await promise;
    assert.equal(await urlOf(driver, "198.51.100.7"), undefined);
  });

  it("does nothing where the storage has no keys of a bucket, and says so", () => {
    const said: unknown[] = [];
    const driver = new MemoryDriver();
    assert.equal(redirectToCloudfront(driver, { ...OPTIONS, warn: (...words) => said.push(words) }), driver);
    assert.deepEqual(said, [
      ["the CloudFront middleware does not support this storage driver and does nothing", { driver: "inmemory" }],
    ]);
  });
});
