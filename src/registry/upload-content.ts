import type { UploadContent } from "./registry.ts";

/** Bytes that are all there already are taken in pieces, so that others go on between them. */
const PIECE = 1024 * 1024;

/** The content in chunks until `signal` fires; does not wait for a source that stalls. */
export async function* chunksUntil(
  content: UploadContent,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  stopped.catch(() => undefined); // nobody may be waiting when it fires
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const iterator = iteratorOf(content);
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await Promise.race([iterator.next(), stopped]);
      if (result.done) return;
      if (!(result.value instanceof Uint8Array)) throw new TypeError("an upload takes bytes, in chunks of Uint8Array");
      yield result.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    Promise.try(() => iterator.return?.()).catch(() => undefined); // waits for a source that stalls, which nobody else should
  }
}

function iteratorOf(content: UploadContent): Iterator<Uint8Array> | AsyncIterator<Uint8Array> {
  if (content instanceof Uint8Array) return inPieces(content);
  return Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
}

function* inPieces(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}
