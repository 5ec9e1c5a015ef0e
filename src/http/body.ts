/** Bodies of requests. */
import type { IncomingMessage } from "node:http";
import type { Budget } from "../lib/budget.ts";
import { withRoom } from "../lib/growing-buffer.ts";
import { BodyBlocks, LARGE_BLOCK } from "./body-blocks.ts";
import { connectionOf, hangUp, streamOf } from "./connection.ts";

/** The client went away, or sent no byte for too long; nobody is left to be answered. */
export class BodyAborted extends Error {
  override readonly name = "BodyAborted";
}

/**
 * The body as it comes in. Leaving early does not close the connection, so an error can still be answered.
 * @param stall ms without a byte after which the connection is dropped
 * @throws {BodyAborted}
 */
export function receive(request: IncomingMessage, stall: number): AsyncGenerator<Uint8Array, void, void> {
  return watched(request, stall, () => request.iterator({ destroyOnReturn: false }));
}

/** The same for what may be large: in blocks, each of which is good until the next is asked for. */
export function receiveBlocks(request: IncomingMessage, stall: number): AsyncGenerator<Uint8Array, void, void> {
  const announced = request.headers["content-length"];
  if (announced !== undefined && Number(announced) < LARGE_BLOCK) return receive(request, stall);
  return watched(request, stall, (onBytes) => blocksOf(request, onBytes));
}

async function* blocksOf(request: IncomingMessage, onBytes: () => void): AsyncGenerator<Uint8Array, void, void> {
  using blocks = new BodyBlocks(request, onBytes);
  for (let block = await blocks.next(); block; block = await blocks.next()) yield block;
}

/** @param take begins to take the bytes; calls back whenever some come, also those that do not fill a block yet */
async function* watched(
  request: IncomingMessage,
  stall: number,
  take: (onBytes: () => void) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let waiting = true;
  const timer = setTimeout(() => {
    if (waiting) hangUp(request, { error: new BodyAborted(`no byte of the body for ${stall} ms`) });
    else timer.refresh();
  }, stall);
  try {
    for await (const chunk of take(() => timer.refresh())) {
      waiting = false;
      yield chunk;
      waiting = true;
      timer.refresh();
    }
    if (wasCut(request)) throw new BodyAborted("the client went away");
  } catch (error) {
    throw error instanceof BodyAborted ? error : new BodyAborted("the client went away", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** In HTTP/2 the runtime ends a body that was cut as if it were whole. */
function wasCut(request: IncomingMessage): boolean {
  const stream = streamOf(request);
  return stream !== undefined && (request.aborted || stream.aborted || stream.rstCode !== 0);
}

/** Bytes that are read and thrown away for a client that sends on after it was answered. */
const DISCARDED = 64 * 1024 * 1024;

/**
 * Reads on after the answer, so that a client that sends its whole body first comes to read it, and the connection serves
 * the next request. What stalls or does not end is dropped.
 */
export function discardRest(request: IncomingMessage, stall: number): void {
  if (request.complete || request.destroyed) return;
  let left = DISCARDED;
  const timer = setTimeout(() => hangUp(request), stall);
  const connection = connectionOf(request);
  const forget = (): void => void request.destroy(); // the runtime does not, of one that was answered
  connection.once("close", forget);
  request.on("data", (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) hangUp(request);
    else timer.refresh();
  });
  request.on("error", () => undefined); // the client went away, and was answered
  for (const event of ["end", "close"]) {
    request.once(event, () => {
      clearTimeout(timer);
      connection.off("close", forget);
    });
  }
  request.resume(); // whoever read before may have paused it
}

/** A body in memory, which counts against a budget until it is disposed of. */
export interface WholeBody extends Disposable {
  readonly bytes: Uint8Array;
}

/**
 * The whole body, as long as it stays within `limit` bytes. A larger part of it waits until `memory` has room.
 * @returns undefined for a longer one, of which nothing is kept
 * @throws {BodyAborted} also for one that trickles in for many times `stall`
 */
export async function receiveWhole(
  request: IncomingMessage,
  limit: number,
  stall: number,
  memory: Budget,
): Promise<WholeBody | undefined> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limit) return undefined;
  using share = new DisposableStack();
  const deadline = performance.now() + PATIENCE * stall;
  let whole: Buffer = Buffer.allocUnsafeSlow(Math.min(announced || limit, FIRST_GUESS));
  let length = 0;
  for await (const chunk of receive(request, stall)) {
    if (length + chunk.length > limit) return undefined;
    if (performance.now() > deadline) throw new BodyAborted("the body came too slowly");
    if (length + chunk.length > whole.length) {
      if (whole.length <= FIRST_GUESS) share.use(await memory.take(limit));
      whole = withRoom(whole, length, length + chunk.length, limit);
    }
    whole.set(chunk, length);
    length += chunk.length;
  }
  const owned = share.move();
  return { bytes: whole.subarray(0, length), [Symbol.dispose]: () => owned.dispose() };
}

/** Times `stall` that a whole body may take. */
const PATIENCE = 5;

/** Bytes that a body gets before it shows that it has more. */
const FIRST_GUESS = 64 * 1024;

export function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (length !== undefined) return Number(length) > 0;
  return encoding !== undefined || streamOf(request)?.endAfterHeaders === false;
}
