import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ForwardProxy, startForwardProxy } from "../../../test/support/forward-proxy.ts";
import { type RecordingS3, startRecordingS3 } from "../../../test/support/recording-s3.ts";
import { selfSigned } from "../../../test/support/self-signed.ts";
import type { Proxies } from "../../lib/proxy-variables.ts";
import { openS3 } from "../s3.ts";
import { PATIENCE } from "./client.ts";

/** Nobody knows this name but the proxy of the test. */
const HOST = "s3.test";
/** Where the proxy is left out, nobody is there, in whatever way the machine finds that out. */
const IMPATIENT = { ...PATIENCE, attempts: 1, connect: 300 };

interface Place extends AsyncDisposable {
  readonly s3: RecordingS3;
  readonly proxy: ForwardProxy;
  readonly url: string;
  put(host: string, proxies: Proxies, more?: Readonly<Record<string, unknown>>): Promise<void>;
}

async function openPlace(how: "http" | "https" = "http"): Promise<Place> {
  const s3 = await startRecordingS3(how === "https" ? await selfSigned([`DNS:${HOST}`]) : undefined);
  const proxy = await startForwardProxy();
  return {
    s3,
    proxy,
    url: `http://127.0.0.1:${proxy.port}`,
    put: async (host, proxies, more = {}) => {
      const parameters = {
        bucket: "b",
        accesskey: "a",
        secretkey: "s",
        regionendpoint: `${how}://${host}:${s3.port}`,
        ...more,
      };
      await using driver = await openS3(parameters, { proxies, patience: IMPATIENT });
      await driver.putContent("/object", Buffer.from("x"));
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await s3[Symbol.asyncDispose]();
    },
  };
}

describe("S3 behind a proxy", () => {
  test("is reached by HTTP through the one for HTTP", async () => {
    await using place = await openPlace();
    await place.put(HOST, { http: place.url, https: "http://127.0.0.1:1" });
    const base = `http://${HOST}:${place.s3.port}/b/`;
    assert.deepEqual(place.proxy.asked, [`GET ${base}`, `PUT ${base}object`]);
    assert.equal(place.s3.sent.at(-1)?.headers.host, `${HOST}:${place.s3.port}`, "as it was signed");
  });

  test("is reached by HTTPS through a tunnel of the one for HTTPS", async () => {
    await using place = await openPlace("https");
    await place.put(HOST, { https: place.url, http: "http://127.0.0.1:1" }, { skipverify: true });
    assert.deepEqual([...new Set(place.proxy.asked)], [`CONNECT ${HOST}:${place.s3.port}`]);
    assert.equal(place.s3.sent.at(-1)?.method, "PUT");
  });

  test("has to be who it says at the end of a tunnel, too", async () => {
    await using place = await openPlace("https");
    await assert.rejects(place.put(HOST, { https: place.url }), /DEPTH_ZERO_SELF_SIGNED_CERT/);
    assert.deepEqual(place.s3.sent, []);
  });

  test("is told nothing of the user and password that the proxy is given", async () => {
    await using place = await openPlace();
    await place.put(HOST, { http: place.url.replace("//", "//team:p%40ss@") });
    assert.equal(place.proxy.authorization, `Basic ${Buffer.from("team:p@ss").toString("base64")}`);
    assert.ok(place.s3.sent.length > 0);
    for (const { headers } of place.s3.sent) assert.match(headers.authorization ?? "", /^AWS4-HMAC-SHA256 /);
  });

  test("may have one without a scheme", async () => {
    await using place = await openPlace();
    await place.put(HOST, { http: `127.0.0.1:${place.proxy.port}` });
    assert.equal(place.proxy.asked.length, 2);
  });

  test("cannot be used where the proxy refuses, and no password is told", async () => {
    for (const how of ["http", "https"] as const) {
      await using place = await openPlace(how);
      place.proxy.refuse(407);
      const proxies = { [how]: place.url.replace("//", "//team:secret@") };
      await assert.rejects(place.put(HOST, proxies), (error) => {
        assert.match(String(error), /^StorageError: s3: cannot use the bucket s3:\/\/b\/: ListObjectsV2 failed: .+/);
        assert.doesNotMatch(String(error), /secret/);
        return true;
      });
    }
  });

  for (const except of ["127.0.0.1", "*", "127.0.0.0/8", "a.test, 127.0.0.1", undefined]) {
    test(`is reached directly on this machine, whatever the exceptions: ${except}`, async () => {
      await using place = await openPlace();
      await place.put("127.0.0.1", { http: place.url, except });
      assert.deepEqual(place.proxy.asked, []);
      assert.equal(place.s3.sent.length, 2);
    });
  }
});

describe("what is reached directly", () => {
  const addresses: readonly (readonly [except: string, host: string, directly: boolean])[] = [
    ["s3.test", "s3.test", true],
    ["S3.Test", "s3.test", true],
    ["test", "s3.test", true],
    [".test", "s3.test", true],
    ["*.test", "s3.test", true],
    ["*", "s3.test", true],
    ["other.test, s3.test", "s3.test", true],
    ["3.test", "s3.test", false],
    ["b.s3.test", "s3.test", false],
    ["", "s3.test", false],
    ["192.0.2.3", "192.0.2.3", true],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.77/30", "192.0.2.79", true],
    ["192.0.2.77/30", "192.0.2.80", false],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["0.0.0.0/0", "203.0.113.9", true],
  ];
  for (const [except, host, directly] of addresses) {
    test(`with NO_PROXY=${except} is ${directly ? "" : "not "}${host}`, async () => {
      await using place = await openPlace();
      const put = place.put(host, { http: place.url, except }, { secure: false });
      if (!directly) {
        await put;
        assert.equal(place.proxy.asked.length, 2);
      } else {
        await assert.rejects(put);
        assert.deepEqual(place.proxy.asked, []);
      }
    });
  }
});

for (const proxy of ["socks5://proxy.test:1080", "http://", "http://a b", "://x"]) {
  test(`${proxy} is no proxy, and is told without its value`, async () => {
    await using place = await openPlace();
    await assert.rejects(place.put(HOST, { https: proxy }), {
      message: "s3: the variable HTTPS_PROXY must be the URL of a proxy, such as http://proxy.example:3128",
    });
  });
}
