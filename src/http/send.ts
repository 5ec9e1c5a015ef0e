/**
 * Sends bytes from storage to a client through two buffers: one is read into while the other is written.
 *
 * A wrong turn here would send one repository's bytes to another's client. So: a buffer goes back to the pool only after
 * the callback of its own write and with no read into it under way; in every other case it is dropped.
 */
import type { ServerResponse } from "node:http";
import { Interruptible } from "../lib/interruptible.ts";
import type { BlobReader } from "../registry/registry.ts";
import { BufferPool } from "./buffer-pool.ts";
import { streamOf } from "./connection.ts";

/** What is up to this size is sent from one buffer of its own. Bytes. */
const SMALL = 64 * 1024;

/** Buffers when the pool has no more to lend, as when thousands read slowly. Bytes. */
const SPARE = 16 * 1024;

/**
 * A GiB costs 471 ms of CPU with 512 KiB, 672 with 256 KiB and no less with 1 MiB (medians of 20 on a busy machine; `npm run
 * bench`, "pull a 256 MiB blob").
 */
const pool: BufferPool = new BufferPool(512 * 1024, 64 * 1024 * 1024, 8 * 1024 * 1024);

/** The storage had fewer bytes than it said; the client must not take what it got for the whole. */
class ShortRead extends Error {
  override readonly name = "ShortRead";
}

/**
 * Sends `length` bytes of `reader` and resolves when the socket took the last. The head must be written; the response is
 * not ended. A client that does not read is the server's business (`dropStalled`).
 * @returns false where the client went away
 * @throws {ShortRead} where the storage has fewer bytes; the connection is to be destroyed
 */
export async function sendBytes(response: ServerResponse, reader: BlobReader, length: number): Promise<boolean> {
  if (length <= SMALL) return await sendSmall(response, reader, length);
  const gone = watchConnection(response);
  const loan: [Buffer, Buffer?] = [take(length)];
  let allWritten = false;
  try {
    let left = length;
    let reading = fill(reader, loan[0], left);
    for (let turn: 0 | 1 = 0; left > 0; turn = turn === 0 ? 1 : 0) {
      const count = await reading;
      if (count === 0) throw new ShortRead(`the storage ended ${left} bytes early`);
      left -= count;
      const written = write(response, (loan[turn] as Buffer).subarray(0, count));
      if (left > 0) {
        loan[1] ??= take(length);
        reading = fill(reader, loan[turn === 0 ? 1 : 0] as Buffer, left);
      }
      if ((await gone.waiting.wait(written)) !== "written") return false;
    }
    allWritten = true;
    return true;
  } finally {
    gone.stop();
    for (const buffer of loan) if (buffer) allWritten ? give(buffer) : forget(buffer);
  }
}

async function sendSmall(response: ServerResponse, reader: BlobReader, length: number): Promise<boolean> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const count = await reader.read(bytes.subarray(filled));
    if (count === 0) throw new ShortRead(`the storage ended ${length - filled} bytes early`);
    filled += count;
  }
  const gone = watchConnection(response);
  try {
    return (await gone.waiting.wait(write(response, bytes))) === "written";
  } finally {
    gone.stop();
  }
}

/** Reads no further than `left`, so that a buffer holds nothing of what lies behind. */
function fill(reader: BlobReader, buffer: Buffer, left: number): Promise<number> {
  const reading = reader.read(buffer.length > left ? buffer.subarray(0, left) : buffer);
  reading.catch(() => undefined); // a client that goes away leaves it to nobody
  return reading;
}

/** Its callback may never come: a pipelined response waits for those before it, and the client may be gone. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<"written" | "failed"> {
  return new Promise((resolve) => {
    response.write(bytes, (error) => resolve(error ? "failed" : "written"));
  });
}

interface ConnectionWatch {
  readonly waiting: Interruptible<"gone">;
  readonly stop: () => void;
}

/** Interrupts the waiting when the response or its connection closes; a stream of HTTP/2 closes with its connection. */
function watchConnection(response: ServerResponse): ConnectionWatch {
  const socket = streamOf(response.req) ?? response.req.socket;
  const waiting = new Interruptible<"gone">();
  const onClose = (): void => waiting.interrupt("gone");
  response.once("close", onClose);
  socket.once("close", onClose);
  if (socket.destroyed) onClose();
  return {
    waiting,
    stop: () => {
      response.off("close", onClose);
      socket.off("close", onClose);
    },
  };
}

function take(length: number): Buffer {
  return pool.take() ?? Buffer.allocUnsafeSlow(Math.min(SPARE, length));
}

function give(buffer: Buffer): void {
  if (buffer.length === pool.size) pool.give(buffer);
}

function forget(buffer: Buffer): void {
  if (buffer.length === pool.size) pool.forget();
}
