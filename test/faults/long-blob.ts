import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Digest, toDigest } from "../../src/oci/digest.ts";
import { noise } from "../support/image.ts";
import { MIB } from "./form.ts";
import { Wire } from "./wire.ts";

/** Blobs too big to be held in memory: one block over and over, each with its number in front, the last one the blob's. */
export class LongBlobs {
  /** Bytes of each. */
  readonly size: number;
  readonly #block: Uint8Array = noise(MIB, 1);
  readonly #blocks: number;

  /** @param size bytes, a multiple of 1 MiB */
  constructor(size: number) {
    this.size = size;
    this.#blocks = size / MIB;
  }

  /** Digests of the blobs from number 0 on. */
  digests(count: number): Digest[] {
    const common = createHash("sha256");
    for (let block = 0; block < this.#blocks - 1; block += 1) common.update(this.#numbered(block));
    return Array.from({ length: count }, (_, number) =>
      toDigest("sha256", common.copy().update(this.#numbered(number)).digest("hex")),
    );
  }

  /** Sends one as fast as the server takes it, or from one byte to another, both multiples of 1 MiB. */
  async send(wire: Wire, number: number, from: number = 0, end: number = this.size): Promise<void> {
    for (let block = from / MIB; block < end / MIB; block += 1) {
      await wire.send(this.#numbered(block < this.#blocks - 1 ? block : number));
    }
  }

  #numbered(number: number): Uint8Array {
    const block = Buffer.from(this.#block);
    block.writeUInt32LE(number);
    return block;
  }
}

/** Pushes one to the repository `long` by `POST`, `PATCH` and `PUT`. */
export async function pushLongBlob(port: number, blobs: LongBlobs, number: number, digest: Digest): Promise<void> {
  using wire = await Wire.open(port);
  await wire.ask("POST", "/v2/long/blobs/uploads/", "Content-Length: 0");
  const location = (await wire.answer()).headers.get("location");
  await wire.ask("PATCH", location ?? "", `Content-Length: ${blobs.size}`);
  await blobs.send(wire, number);
  const appended = await wire.answer();
  assert.equal(appended.status, 202, appended.body.toString());
  await wire.ask("PUT", `${appended.headers.get("location")}&digest=${digest}`, "Content-Length: 0");
  const answer = await wire.answer();
  assert.equal(answer.status, 201, answer.body.toString());
}

/** Reads `length` bytes without keeping them. */
export async function digestOfRest(wire: Wire, length: number): Promise<Digest> {
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= MIB) hash.update(await wire.bytes(Math.min(left, MIB)));
  return toDigest("sha256", hash.digest("hex"));
}
