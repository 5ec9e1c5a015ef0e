import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { countingDriver } from "../../test/support/counting-driver.ts";
import { openRegistry, type RegistryOptions } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { BlobUnknown, RegistryClosed } from "../oci/errors.ts";
import { parseRepositoryName } from "../oci/names.ts";
import type { FileReader, RedirectingDriver, StorageDriver } from "../storage/driver.ts";
import { ReaderClosed, StorageError } from "../storage/errors.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { PathMapper } from "./paths.ts";
import type { Blob, BlobReader, Registry } from "./registry.ts";

const BYTES = Buffer.from("0123456789");
const DIGEST = digestOf(BYTES);
const PATH = new PathMapper().blob(DIGEST);
const NAME = parseRepositoryName("a/b");

describe("a blob", () => {
  test("is there with its size and the time of its bytes", async () => {
    const { registry, blob } = await openBlob(new MemoryDriver({ now: () => 1_700_000_000_000.5 }));
    await using _ = registry;
    assert.deepEqual(blob.descriptor, { mediaType: "application/octet-stream", digest: DIGEST, size: 10 });
    assert.equal(blob.createdAt?.toISOString(), "2023-11-14T22:13:20.000Z");
    const { blobs } = registry.repository(NAME);
    assert.equal(await blobs.has(DIGEST), true);
    assert.equal(await blobs.has(digestOf(Buffer.from("other"))), false);
    assert.equal(await registry.repository(parseRepositoryName("other")).blobs.has(DIGEST), false);
  });

  test("has no time where the storage keeps none", async () => {
    const driver = new MemoryDriver();
    const timeless = Object.assign(driver, { stat: withoutTime(driver.stat.bind(driver)) });
    const { registry, blob } = await openBlob(timeless);
    await using _ = registry;
    assert.equal(blob.createdAt, undefined);
  });

  test("costs its link, its size and one opening to be read", async () => {
    const { driver, calls, forget } = countingDriver(new MemoryDriver());
    const { registry } = await openBlob(driver);
    await using _ = registry;
    forget();
    const blob = await registry.repository(NAME).blobs.open(DIGEST);
    await blob.redirect({ method: "GET" });
    await using reader = await blob.read();
    assert.equal(await rest(reader), "0123456789");
    const link = new PathMapper().layerLink(NAME, DIGEST);
    assert.deepEqual(calls, [`getContent ${link}`, `stat ${PATH}`, `reader ${PATH}`]);
  });

  test("is not read where it is not", async () => {
    const { registry, blob } = await openBlob(new MemoryDriver());
    await using _ = registry;
    for (const range of [
      { start: -1, length: 2 },
      { start: 0, length: 11 },
      { start: 11, length: 0 },
      { start: 5, length: -1 },
      { start: 0.5, length: 1 },
      { start: 0, length: Number.NaN },
    ]) {
      await assert.rejects(blob.read(range), RangeError);
    }
    await using end = await blob.read({ start: 10, length: 0 });
    assert.equal(await rest(end), "");
  });
});

describe("all of a small blob", () => {
  test("is read once, and looked for each time", async () => {
    const { driver, calls, forget } = countingDriver(new MemoryDriver());
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    forget();
    for (let i = 0; i < 3; i++) assert.deepEqual(await wholeOf(blob), "0123456789");
    assert.deepEqual(calls, [`reader ${PATH}`, `stat ${PATH}`, `stat ${PATH}`]);
  });

  test("is not had where its bytes are gone or others, and never after the registry's end", async () => {
    const driver = new MemoryDriver();
    const { registry, blob } = await openBlob(driver);
    assert.equal(await wholeOf(blob), "0123456789");
    await driver.putContent(PATH, Buffer.from("012"));
    assert.equal(await wholeOf(blob), undefined);
    await driver.delete(PATH);
    assert.equal(await wholeOf(blob), undefined);
    await driver.putContent(PATH, BYTES);
    assert.equal(await wholeOf(blob), "0123456789");
    await registry[Symbol.asyncDispose]();
    await assert.rejects(wholeOf(blob), RegistryClosed);
  });

  test("is not had where it is damaged when it is read first", async () => {
    const driver = new MemoryDriver();
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    await driver.putContent(PATH, Buffer.from("012345678X"));
    assert.equal(await wholeOf(blob), undefined);
    await driver.putContent(PATH, BYTES);
    assert.equal(await wholeOf(blob), "0123456789");
  });
});

describe("a reader of a blob", () => {
  test("goes on where it is sent, within its range, and several seeks cost one opening", async () => {
    const { driver, count } = countingDriver(new MemoryDriver());
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    await using reader = await blob.read({ start: 2, length: 6 });
    assert.equal(await some(reader, 2), "23");
    for (const offset of [8, 2, 5]) reader.seek(offset);
    assert.equal(await rest(reader), "567");
    assert.equal(count("reader", /./), 2);
    reader.seek(8);
    assert.equal(await rest(reader), "");
    reader.seek(2);
    assert.equal(await rest(reader), "234567");
  });

  test("that is sent to where it stands opens nothing", async () => {
    const { driver, count } = countingDriver(new MemoryDriver());
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    await using reader = await blob.read();
    await some(reader, 4);
    for (const offset of [9, 4]) reader.seek(offset);
    assert.equal(await rest(reader), "456789");
    assert.equal(count("reader", /./), 1);
  });

  test("is sent nowhere else, and then goes on", async () => {
    const { registry, blob } = await openBlob(new MemoryDriver());
    await using _ = registry;
    await using reader = await blob.read({ start: 2, length: 6 });
    await some(reader, 1);
    for (const offset of [1, 9, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => reader.seek(offset), RangeError);
    }
    assert.equal(await rest(reader), "34567");
  });

  test("closes what it leaves", async () => {
    const { driver, open } = withHeldReaders(new MemoryDriver());
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    {
      await using reader = await blob.read();
      reader.seek(5);
      await some(reader, 1);
      assert.equal(open.size, 1);
      reader.seek(7);
    }
    assert.equal(open.size, 0);
  });

  test("that was disposed of says so", async () => {
    const { registry, blob } = await openBlob(new MemoryDriver());
    await using _ = registry;
    const reader = await blob.read();
    await reader[Symbol.asyncDispose]();
    await assert.rejects(reader.read(new Uint8Array(1)), ReaderClosed);
    assert.throws(() => reader.seek(0), ReaderClosed);
    await reader[Symbol.asyncDispose]();
  });

  test("that is disposed of while it opens elsewhere leaves nothing open", async () => {
    const { driver, open, hold } = withHeldReaders(new MemoryDriver());
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    const reader = await blob.read();
    reader.seek(5);
    const { opening, release } = hold();
    const reading = reader.read(new Uint8Array(1));
    await opening;
    await reader[Symbol.asyncDispose]();
    release();
    await assert.rejects(reading, ReaderClosed);
    assert.equal(open.size, 0);
  });

  test("that is sent back to bytes that are gone finds the blob unknown", async () => {
    const driver = new MemoryDriver();
    const { registry, blob } = await openBlob(driver);
    await using _ = registry;
    await using reader = await blob.read();
    await driver.delete(PATH);
    assert.equal(await some(reader, 2), "01");
    reader.seek(0);
    await assert.rejects(reader.read(new Uint8Array(1)), BlobUnknown);
    await assert.rejects(blob.read(), BlobUnknown);
  });
});

describe("where a client may fetch a blob itself", () => {
  test("is asked of the storage, for the client's method", async () => {
    const { registry, blob } = await openBlob(redirecting(async (path, { method }) => at(`${path}#${method}`)));
    await using _ = registry;
    for (const method of ["GET", "HEAD"] as const) {
      assert.equal((await blob.redirect({ method }))?.href, `http://bytes.test${PATH}#${method}`);
    }
  });

  test("is nowhere where redirects are off, or the storage has no URL for it", async () => {
    const off = await openBlob(
      redirecting(async (path) => at(path)),
      { redirect: false },
    );
    assert.equal(await off.blob.redirect({ method: "GET" }), undefined);
    const none = await openBlob(redirecting(async () => undefined));
    assert.equal(await none.blob.redirect({ method: "GET" }), undefined);
  });

  test("is nowhere where the storage fails, which the operator is told of once in a while", async () => {
    const told: unknown[] = [];
    let times = 0;
    const fails = (): Promise<never> => Promise.reject(new StorageError("inmemory", `no key for blob ${++times}`));
    const { registry, blob } = await openBlob(redirecting(fails), { warn: (...one) => told.push(one) });
    await using _ = registry;
    for (let n = 0; n < 3; n++) assert.equal(await blob.redirect({ method: "GET" }), undefined);
    assert.deepEqual(told, [
      [
        "clients cannot be redirected to the storage, so blobs are sent from here",
        { reason: "StorageError: inmemory: no key for blob 1" },
      ],
    ]);
  });

  test("may be given as text by a driver that knows no better, and is nowhere where the text is no URL", async () => {
    const text = await openBlob(redirecting((async () => "http://bytes.test/x") as never));
    assert.equal((await text.blob.redirect({ method: "GET" }))?.href, "http://bytes.test/x");
    const rubbish = await openBlob(redirecting((async () => "rubbish") as never), { warn: () => undefined });
    assert.equal(await rubbish.blob.redirect({ method: "GET" }), undefined);
  });

  test("is not told by a registry that was closed", async () => {
    const { registry, blob } = await openBlob(redirecting(async (path) => at(path)));
    await registry[Symbol.asyncDispose]();
    await assert.rejects(blob.redirect({ method: "GET" }), RegistryClosed);
  });
});

async function openBlob(
  driver: StorageDriver,
  options: Partial<RegistryOptions> = {},
): Promise<{ registry: Registry; blob: Blob }> {
  const registry = openRegistry({ driver, ...options });
  const { uploads, blobs } = registry.repository(NAME);
  const upload = await uploads.start();
  const whole = await upload.append(BYTES);
  await whole.commit(DIGEST);
  return { registry, blob: await blobs.open(DIGEST) };
}

async function some(reader: BlobReader, most: number): Promise<string> {
  const into = Buffer.alloc(most);
  return into.subarray(0, await reader.read(into)).toString();
}

async function wholeOf(blob: Blob): Promise<string | undefined> {
  const bytes = await blob.whole?.();
  return bytes && Buffer.from(bytes).toString();
}

async function rest(reader: BlobReader): Promise<string> {
  let text = "";
  for (let more = await some(reader, 4); more !== ""; more = await some(reader, 4)) text += more;
  return text;
}

function withoutTime(stat: StorageDriver["stat"]): StorageDriver["stat"] {
  return async (path) => {
    const { size, isDirectory } = await stat(path);
    return { size, isDirectory };
  };
}

function redirecting(redirectUrl: RedirectingDriver["redirectUrl"]): RedirectingDriver {
  return Object.assign(new MemoryDriver(), { redirectUrl });
}

function at(path: string): URL {
  return new URL(path, "http://bytes.test");
}

/** Tells which readers are open, and holds the next one back while it opens. */
function withHeldReaders(inner: MemoryDriver): {
  readonly driver: StorageDriver;
  readonly open: ReadonlySet<FileReader>;
  hold(): { readonly opening: Promise<void>; release(): void };
} {
  const open = new Set<FileReader>();
  let gate: (() => Promise<void>) | undefined;
  const reader: StorageDriver["reader"] = async (path, offset) => {
    const opened = await MemoryDriver.prototype.reader.call(inner, path, offset);
    await gate?.();
    open.add(opened);
    const end = async (): Promise<void> => void open.delete(opened);
    return { size: opened.size, read: (into) => opened.read(into), [Symbol.asyncDispose]: end };
  };
  const hold = (): { readonly opening: Promise<void>; release(): void } => {
    const { promise: opening, resolve: reached } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    gate = () => {
      reached();
      return released;
    };
    return { opening, release };
  };
  return { driver: Object.assign(inner, { reader }), open, hold };
}
