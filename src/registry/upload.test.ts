import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { openRegistry } from "../library.ts";
import { digestOf } from "../oci/digest.ts";
import { parseRepositoryName } from "../oci/names.ts";
import { MemoryDriver } from "../storage/memory.ts";
import type { UploadContent } from "./registry.ts";

const NAME = parseRepositoryName("a/b");

describe("an upload", () => {
  it("is appended to from bytes, arrays and streams in turn, and has all of them in order", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const { uploads, blobs } = registry.repository(NAME);
    const contents: readonly (readonly [UploadContent, text: string])[] = [
      [Buffer.from("bytes,"), "bytes,"],
      [new Uint8Array(), ""],
      [[Buffer.from("an "), Buffer.from("array,")], "an array,"],
      [new Set([Buffer.from("a set,")]), "a set,"],
      [Readable.from([Buffer.from("a "), Buffer.from("stream,")]), "a stream,"],
      [ReadableStream.from([Buffer.from("another")]), "another"],
    ];
    let upload = await uploads.start();
    let expected = "";
    for (const [content, text] of contents) {
      upload = await upload.append(content);
      expected += text;
      assert.equal(upload.size, expected.length);
    }
    await upload.commit(digestOf(Buffer.from(expected)));
    await using reader = await (await blobs.open(digestOf(Buffer.from(expected)))).read();
    const into = Buffer.alloc(expected.length);
    for (let at = 0; at < into.length; ) at += await reader.read(into.subarray(at));
    assert.equal(into.toString(), expected);
  });

  it("keeps what came before a source failed, and goes on from there", async () => {
    await using registry = openRegistry({ driver: new MemoryDriver() });
    const { uploads } = registry.repository(NAME);
    const started = await uploads.start();
    const failing = function* (): Generator<Uint8Array, void, void> {
      yield Buffer.from("01234");
      throw new Error("the source failed");
    };
    await assert.rejects(started.append(failing()), /^Error: the source failed$/);
    const upload = await (await uploads.resume(started.id)).append(Buffer.from("56789"));
    assert.equal((await upload.commit(digestOf(Buffer.from("0123456789")))).size, 10);
  });
});
