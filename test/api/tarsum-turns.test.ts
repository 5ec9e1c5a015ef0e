/** What happens to an upload, and beside it, while it is verified by its tarsum. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import type { FileReader, StorageDriver } from "../../src/storage/driver.ts";
import { registryContract } from "../contract/registry.ts";
import { type Api, startApi } from "../support/api.ts";
import { contentsOf, expectError, locationOf, noise, sameBytes, startUpload } from "../support/api-content.ts";
import { tarEntry, tarOf } from "../support/tar.ts";
import { tarsumByHand } from "../support/tarsum.ts";

const TAR = tarOf([tarEntry({ name: "a" }, noise(3000))]);
const TARSUM = tarsumByHand(TAR, "v1");
const QUERY = `digest=${encodeURIComponent(TARSUM)}`;

registryContract("while a tarsum is verified", (open) => {
  test("other requests are answered", async () => {
    await using storage = await open();
    const { driver, begun } = withEndlessData(storage.driver);
    await using api = await startApi(driver);
    const session = await received(api, TAR);
    const events: string[] = [];
    const put = api.send("PUT", `${session}&${QUERY}`).finally(() => events.push("verified"));
    await begun;
    for (let i = 0; i < 5; i++) {
      assert.equal((await api.send("GET", "/v2/_catalog")).status, 200);
      events.push("answered");
    }
    await api.send("DELETE", session);
    await put;
    assert.deepEqual(events, [...Array(5).fill("answered"), "verified"]);
  });

  test("a client that comes back to the session takes it over", async () => {
    await using storage = await open();
    const { driver, begun, ended } = withEndlessData(storage.driver);
    await using api = await startApi(driver);
    const session = await received(api, TAR.subarray(0, 1000));
    const put = api.send("PUT", `${session}&${QUERY}`);
    await begun;
    const patched = await api.send("PATCH", session, { body: TAR.subarray(1000) });
    assert.equal(patched.status, 202);
    await ended;
    const refused = await put;
    assert.match(String(expectError(refused, 416, "RANGE_INVALID")), /took over/);
    const answer = await storage.send("PUT", `${locationOf(patched)}&${QUERY}`);
    assert.equal(answer.status, 201, answer.body.toString());
    sameBytes((await storage.send("GET", `/v2/a/blobs/${TARSUM}`)).body, TAR);
  });

  test("the session can be cancelled", async () => {
    await using storage = await open();
    const { driver, begun, ended } = withEndlessData(storage.driver);
    await using api = await startApi(driver);
    const session = await received(api, TAR);
    const put = api.send("PUT", `${session}&${QUERY}`);
    await begun;
    assert.equal((await api.send("DELETE", session)).status, 204);
    await ended;
    assert.ok([404, 416].includes((await put).status), "it is gone, or just going");
    assert.ok(!Object.keys(await contentsOf(storage.driver)).some((path) => /\/blobs\/|_layers/.test(path)));
  });

  for (const when of ["before its first byte is read", "when all of it is read"] as const) {
    test(`bytes that another process adds ${when} are not stored unseen`, async () => {
      await using storage = await open();
      await using api = await startApi(withMoreData(storage.driver, when));
      const session = await received(api, TAR);
      const refused = await api.send("PUT", `${session}&${QUERY}`);
      expectError(refused, 416, "RANGE_INVALID");
      assert.equal(refused.headers["range"], `0-${TAR.length + MORE.length - 1}`);
      const paths = Object.keys(await contentsOf(storage.driver));
      assert.ok(!paths.some((path) => /\/blobs\/|_layers/.test(path)));
      const whole = Buffer.concat([TAR, MORE]);
      const answer = await storage.send("PUT", `${locationOf(refused)}&${QUERY}`);
      assert.equal(answer.headers["docker-content-digest"], digestOf(whole));
      sameBytes((await storage.send("GET", `/v2/a/blobs/${TARSUM}`)).body, whole);
    });
  }

  test("an end that comes too early is seen, also where the sum would not tell", async () => {
    await using storage = await open();
    const short = withDataReader(storage.driver, (reader) => upTo(reader, TAR.length - MORE.length));
    await using api = await startApi(short);
    const answer = await api.send("PUT", `${await received(api, TAR)}&${QUERY}`);
    expectError(answer, 416, "RANGE_INVALID");
    assert.ok(!Object.keys(await contentsOf(storage.driver)).some((path) => /\/blobs\/|_layers/.test(path)));
  });
});

/** A session that has these bytes. */
async function received(api: Api, bytes: Uint8Array): Promise<string> {
  return locationOf(await api.send("PATCH", await startUpload(api, "a"), { body: bytes }));
}

/** Zeros: behind a tar's end they change nothing of its tarsum. */
const MORE = Buffer.alloc(512);

/** Reads of an upload after which something is wrong: nobody else could go on, or who was stopped went on. */
const ENOUGH = 100_000;

interface EndlessData {
  readonly driver: StorageDriver;
  /** Once an upload's data is being read. */
  readonly begun: Promise<void>;
  /** Once its reader is closed. */
  readonly ended: Promise<void>;
}

/** Uploads that are read have zeros without end behind their data. */
function withEndlessData(inner: StorageDriver): EndlessData {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const driver = withDataReader(inner, (reader) => {
    let reads = 0;
    begun.resolve();
    return {
      size: reader.size,
      async read(into) {
        const piece = into.subarray(0, MORE.length);
        if (++reads > ENOUGH) throw new Error("the upload is read on and on");
        return (await reader.read(piece)) || piece.fill(0).length;
      },
      async [Symbol.asyncDispose]() {
        await reader[Symbol.asyncDispose]();
        ended.resolve();
      },
    };
  });
  return { driver, begun: begun.promise, ended: ended.promise };
}

/** Once, somebody else appends to an upload that is being read. */
function withMoreData(
  inner: StorageDriver,
  when: "before its first byte is read" | "when all of it is read",
): StorageDriver {
  let isDone = false;
  const append = async (path: string): Promise<void> => {
    isDone = true;
    await using writer = await inner.writer(path, { append: true });
    await writer.write(MORE);
    await writer.close();
  };
  return withDataReader(inner, (reader, path) => ({
    size: reader.size,
    async read(into) {
      if (!isDone && when === "before its first byte is read") await append(path);
      const count = await reader.read(into);
      if (!isDone && count === 0) await append(path);
      return count;
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }));
}

function upTo(reader: FileReader, end: number): FileReader {
  let left = end;
  return {
    size: reader.size,
    async read(into) {
      const count = await reader.read(into.subarray(0, left));
      left -= count;
      return count;
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

function withDataReader(inner: StorageDriver, wrap: (reader: FileReader, path: string) => FileReader): StorageDriver {
  const reader: StorageDriver["reader"] = async (path, ...rest) => {
    const opened = await inner.reader(path, ...rest);
    return path.includes("/_uploads/") ? wrap(opened, path) : opened;
  };
  return new Proxy(inner, {
    get(target, key) {
      if (key === "reader") return reader;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
