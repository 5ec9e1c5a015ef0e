import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { driverContract } from "../../../test/contract/driver.ts";
import { MemoryDriver } from "../memory.ts";
import { redirectToBase } from "./redirect.ts";

const BLOB = "/docker/registry/v2/blobs/sha256/ab/abcd/data";

driverContract("behind redirects", async () =>
  redirectToBase(new MemoryDriver(), { baseurl: new URL("https://blobs.test") }),
);

describe("a redirect to another server", () => {
  for (const [baseurl, expected] of [
    ["https://blobs.test", `https://blobs.test${BLOB}`],
    ["https://blobs.test/", `https://blobs.test${BLOB}`],
    ["http://blobs.test:8080/mirror", `http://blobs.test:8080/mirror${BLOB}`],
    ["http://blobs.test/a%20b//", `http://blobs.test/a%20b${BLOB}`],
    ["https://user:password@blobs.test/?query#fragment", `https://blobs.test${BLOB}`],
  ] as const) {
    it(`goes from ${baseurl} to ${expected}, whatever is asked`, async () => {
      const driver = redirectToBase(new MemoryDriver(), { baseurl: new URL(baseurl) });
      for (const method of ["GET", "HEAD"] as const) {
        assert.equal((await driver.redirectUrl(BLOB, { method }))?.href, expected);
      }
    });
  }
});
