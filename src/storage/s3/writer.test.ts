import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "../errors.ts";
import { MOST_PARTS, type Part } from "./multipart.ts";
import { PartBuffers } from "./part-buffers.ts";
import type { Store } from "./store.ts";
import { openWriter } from "./writer.ts";

const CHUNK = 5 * 1024 * 1024;

/** A store where an upload of so many whole parts is found, and nothing can be done but upload parts. */
function storeWith(count: number, uploaded: number[]): Store {
  const upload = { key: "key", id: "id", begun: undefined };
  const parts = Array.from({ length: count }, (_, i): Part => ({ number: i + 1, size: CHUNK, etag: `${i}` }));
  const uploadPart = async (_: unknown, number: number, bytes: Uint8Array): Promise<Part> => {
    uploaded.push(number);
    return { number, size: bytes.length, etag: "new" };
  };
  const store = {
    finder: { find: async () => ({ upload, parts }) },
    multipart: { uploadPart },
    buffers: new PartBuffers({ budget: 0, length: CHUNK, tenure: 1000 }),
  };
  return store as unknown as Store;
}

test("the part after the last that S3 takes is an error that says what helps, and no request", async () => {
  const uploaded: number[] = [];
  const place = { key: "key", path: "/data" };
  const writer = await openWriter(storeWith(MOST_PARTS - 1, uploaded), place, { append: true });
  await writer.write(new Uint8Array(CHUNK));
  await assert.rejects(
    async () => {
      await writer.write(new Uint8Array(CHUNK));
      await writer.close();
    },
    (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /at most 10000 parts.*larger storage\.s3\.chunksize/);
      return true;
    },
  );
  assert.deepEqual(uploaded, [MOST_PARTS]);
  assert.equal(writer.size, MOST_PARTS * CHUNK);
});
