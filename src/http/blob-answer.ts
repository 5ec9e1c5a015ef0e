/**
 * What a request for one blob is answered, apart from how it came here.
 *
 * @see http-api, section 7; RFC 9110, sections 13 and 14
 */
import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import { PreconditionFailed } from "../oci/errors.ts";
import { MediaType } from "../oci/media-types.ts";
import type { Blob, BlobReader, ByteRange } from "../registry/registry.ts";
import { isSameRange, listsDigest, toEntityTag } from "./conditions.ts";
import { clientAddress } from "./forwarding.ts";
import { parseRange, toContentRange } from "./ranges.ts";
import { sendBytes } from "./send.ts";

export interface BlobAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces of the blob, each with what comes before it; none for an answer without bytes of the blob. */
  readonly parts: readonly Part[];
  /** What comes behind the last part, or all there is where there are none. */
  readonly tail: string;
}

interface Part {
  readonly head: string;
  readonly range: ByteRange;
}

/** Where an answer goes. */
export interface Outlet {
  readonly response: ServerResponse;
  sendHead(): void;
  /** Nothing but the head was sent before. */
  end(body: Uint8Array): void;
}

/** Content with a digest never changes. */
const CACHE_CONTROL = "max-age=31536000";

/**
 * @param request a `GET` or a `HEAD`, for which no range is defined
 * @throws {PreconditionFailed}
 */
export async function toBlobAnswer(blob: Blob, request: IncomingMessage): Promise<BlobAnswer> {
  const { method, headers } = request;
  const { digest } = blob.descriptor;
  if (headers["if-match"] !== undefined && !listsDigest(headers["if-match"], digest)) {
    throw new PreconditionFailed(`If-Match: the blob is ${digest}`);
  }
  if (listsDigest(headers["if-none-match"], digest)) {
    return { status: 304, headers: toValidators(digest), parts: [], tail: "" };
  }
  const elsewhere = await blob.redirect(new Asker(request));
  return elsewhere ? redirection(digest, elsewhere) : content(blob.descriptor, method, headers);
}

/**
 * Sends head and bytes. The head goes out when the blob is open, so what cannot be opened can still be answered otherwise.
 * @throws {BlobUnknown} before anything is sent; any other failure before that comes from the storage, and after it the
 *   connection is to be destroyed
 */
export async function sendBlobAnswer(outlet: Outlet, blob: Blob, { parts, tail }: BlobAnswer): Promise<void> {
  const { response } = outlet;
  const [only, ...others] = parts;
  const bytes = only && others.length === 0 ? await blob.whole?.() : undefined;
  if (only && bytes) {
    outlet.sendHead();
    const { start, length } = only.range;
    return outlet.end(length === bytes.length ? bytes : bytes.subarray(start, start + length));
  }
  let reader: BlobReader | undefined;
  try {
    for (const { head, range } of parts) {
      await reader?.[Symbol.asyncDispose]();
      reader = await blob.read(range);
      if (!response.headersSent) outlet.sendHead();
      if (head !== "") response.write(head);
      if (!(await sendBytes(response, reader, range.length))) return;
    }
    response.end(tail);
  } finally {
    await reader?.[Symbol.asyncDispose]();
  }
}

/** Whom few ask for their address. */
class Asker {
  readonly method: "GET" | "HEAD";
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.method = request.method === "HEAD" ? "HEAD" : "GET";
    this.#request = request;
  }

  get client(): string | undefined {
    return clientAddress(this.#request);
  }
}

/** The client repeats its request there, with the range it wants. Nothing here may be kept: such URLs expire. */
function redirection(digest: string, { href }: URL): BlobAnswer {
  const headers = {
    location: href,
    "docker-content-digest": digest,
    "content-type": MediaType.octetStream,
    "content-length": "0",
  };
  return { status: 307, headers, parts: [], tail: "" };
}

function content(
  { digest, size }: BlobDescriptor,
  method: string | undefined,
  headers: IncomingHttpHeaders,
): BlobAnswer {
  const mayRange = method === "GET" && isSameRange(headers["if-range"]?.toString(), digest);
  const wanted = parseRange(mayRange ? headers.range : undefined, size);
  if (wanted.kind === "unsatisfiable") return refusal(digest, size, wanted.reason);
  const answer = wanted.kind === "ranges" ? partial(wanted.ranges, size) : whole(size);
  return { ...answer, headers: { ...toValidators(digest), "accept-ranges": "bytes", ...answer.headers } };
}

function toValidators(digest: string): Readonly<Record<string, string>> {
  return { "docker-content-digest": digest, etag: toEntityTag(digest), "cache-control": CACHE_CONTROL };
}

function whole(size: number): BlobAnswer {
  const headers = { "content-type": MediaType.octetStream, "content-length": String(size) };
  return { status: 200, headers, parts: size > 0 ? [{ head: "", range: { start: 0, length: size } }] : [], tail: "" };
}

function partial(ranges: readonly [ByteRange, ...ByteRange[]], size: number): BlobAnswer {
  const [range, ...others] = ranges;
  if (others.length > 0) return multipart(ranges, size);
  const headers = {
    "content-type": MediaType.octetStream,
    "content-length": String(range.length),
    "content-range": toContentRange(range, size),
  };
  return { status: 206, headers, parts: [{ head: "", range }], tail: "" };
}

/** @see RFC 9110, section 14.6 */
function multipart(ranges: readonly ByteRange[], size: number): BlobAnswer {
  const boundary = randomBytes(30).toString("hex");
  const parts = ranges.map((range, index) => ({
    range,
    head: `${index > 0 ? "\r\n" : ""}--${boundary}\r\nContent-Range: ${toContentRange(range, size)}\r\nContent-Type: ${MediaType.octetStream}\r\n\r\n`,
  }));
  const tail = `\r\n--${boundary}--\r\n`;
  const length = parts.reduce((sum, { head, range }) => sum + head.length + range.length, tail.length);
  const headers = {
    "content-type": `multipart/byteranges; boundary=${boundary}`,
    "content-length": String(length),
  };
  return { status: 206, headers, parts, tail };
}

function refusal(digest: string, size: number, reason: string): BlobAnswer {
  const tail = `${reason}\n`;
  const headers = {
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    "content-range": `bytes */${size}`,
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(tail.length),
    "x-content-type-options": "nosniff",
  };
  return { status: 416, headers, parts: [], tail };
}
