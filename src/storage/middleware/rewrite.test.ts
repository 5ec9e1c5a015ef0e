import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canRedirect, type RedirectRequest, type StorageDriver } from "../driver.ts";
import { MemoryDriver } from "../memory.ts";
import { type RewriteOptions, rewriteRedirects } from "./rewrite.ts";

const GET: RedirectRequest = { method: "GET", client: "192.0.2.1" };

function redirecting(to: string | undefined, asked: unknown[] = []): StorageDriver {
  return Object.assign(new MemoryDriver(), {
    redirectUrl: async (...request: unknown[]) => {
      asked.push(request);
      return to === undefined ? undefined : new URL(to);
    },
  });
}

async function rewritten(to: string | undefined, options: RewriteOptions): Promise<string | undefined> {
  const driver = rewriteRedirects(redirecting(to), options);
  assert.ok(canRedirect(driver));
  return (await driver.redirectUrl("/a", GET))?.href;
}

describe("a rewritten redirect", () => {
  const SIGNED = "http://minio:9000/bucket/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202";
  for (const [options, expected] of [
    [{}, SIGNED],
    [{ scheme: "https" }, "https://minio:9000/bucket/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202"],
    [{ host: "cdn.test" }, "http://cdn.test/bucket/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202"],
    [{ host: "cdn.test:81" }, "http://cdn.test:81/bucket/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202"],
    [{ trimpathprefix: "/bucket" }, "http://minio:9000/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202"],
    [{ trimpathprefix: "/bucket/" }, "http://minio:9000/docker/a?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202"],
    [{ trimpathprefix: "bucket" }, SIGNED],
    [{ trimpathprefix: "/docker" }, SIGNED],
    [
      { scheme: "https", host: "cdn.test", trimpathprefix: "/bucket/docker/a" },
      "https://cdn.test/?X-Amz-Signature=a%2Fb&X-Amz-Date=1%202",
    ],
  ] as const) {
    it(`with ${JSON.stringify(options)} is ${expected}`, async () => {
      assert.equal(await rewritten(SIGNED, options), expected);
    });
  }

  it("loses a prefix that has to be encoded", async () => {
    assert.equal(await rewritten("http://minio/my%20bucket/a", { trimpathprefix: "/my bucket" }), "http://minio/a");
  });

  it("is none where the storage gives none, and is asked for what was asked", async () => {
    assert.equal(await rewritten(undefined, { host: "cdn.test" }), undefined);
    const asked: unknown[] = [];
    const driver = rewriteRedirects(redirecting("http://a.test", asked), {});
    assert.ok(canRedirect(driver));
    await driver.redirectUrl("/a", GET);
    assert.deepEqual(asked, [["/a", GET]]);
  });

  it("leaves alone a storage that cannot redirect", () => {
    assert.equal(canRedirect(rewriteRedirects(new MemoryDriver(), { host: "cdn.test" })), false);
  });
});
