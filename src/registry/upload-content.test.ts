import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { chunksUntil } from "./upload-content.ts";

const BYTES = Buffer.from("some bytes in several chunks");
const CHUNKS = [BYTES.subarray(0, 5), new Uint8Array(), BYTES.subarray(5)];
const never = new AbortController().signal;

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  return await Array.fromAsync(chunks, (chunk) => Uint8Array.from(chunk));
}

describe("the content of an upload", () => {
  const forms = {
    bytes: BYTES,
    "an array of them": CHUNKS,
    "a generator": CHUNKS.values(),
    "a stream of Node": Readable.from(CHUNKS, { objectMode: false }),
    "a stream of the web": ReadableStream.from(CHUNKS),
  };
  for (const [form, content] of Object.entries(forms)) {
    it(`may be ${form}`, async () => {
      assert.deepEqual(Buffer.concat(await collect(chunksUntil(content, never))), BYTES);
    });
  }

  it("may be nothing", async () => {
    for (const content of [new Uint8Array(), []]) assert.deepEqual(await collect(chunksUntil(content, never)), []);
  });

  it("comes in pieces of 1 MiB where all of it is there, none of them copied", async () => {
    const bytes = Buffer.alloc(2 ** 21 + 1);
    const pieces = await Array.fromAsync(chunksUntil(bytes, never));
    assert.deepEqual(
      pieces.map(({ buffer, byteOffset, length }) => [buffer === bytes.buffer, byteOffset, length]),
      [0, 2 ** 20, 2 ** 21].map((start) => [true, start + bytes.byteOffset, Math.min(2 ** 20, bytes.length - start)]),
    );
  });

  it("is refused where its chunks are text", async () => {
    await using folder = await temporaryFolder("content");
    const path = folder.join("text");
    await writeFile(path, "äöü");
    const source = createReadStream(path, "utf8");
    await assert.rejects(collect(chunksUntil(source, never)), TypeError);
    assert.equal(source.destroyed, true);
  });

  it("ends with the reason of a signal while its source stalls", async () => {
    const stop = new AbortController();
    const stalling = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield BYTES;
      stop.abort(new Error("stopped"));
      await new Promise(() => undefined);
    };
    await assert.rejects(collect(chunksUntil(stalling(), stop.signal)), /^Error: stopped$/);
  });

  it("ends so between the chunks of a source that does not end, and closes that", async () => {
    const stop = new AbortController();
    let isClosed = false;
    const endless = function* (): Generator<Uint8Array, void, void> {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) stop.abort(new Error("stopped"));
          yield BYTES;
        }
      } finally {
        isClosed = true;
      }
    };
    await assert.rejects(collect(chunksUntil(endless(), stop.signal)), /^Error: stopped$/);
    assert.equal(isClosed, true);
  });
});
