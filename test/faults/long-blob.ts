import { createHash } from "node:crypto";
import { type Digest, toDigest } from "../../src/oci/digest.ts";
import { noise } from "../support/image.ts";
import { MIB } from "./form.ts";
import type { Wire } from "./wire.ts";

/** Blobs too big to be held in memory: one block over and over, the last one with the blob's number in front. */
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
    for (let block = 1; block < this.#blocks; block += 1) common.update(this.#block);
    return Array.from({ length: count }, (_, number) =>
      toDigest("sha256", common.copy().update(this.#last(number)).digest("hex")),
    );
  }

  /** Sends one as fast as the server takes it. */
  async send(wire: Wire, number: number): Promise<void> {
    for (let block = 1; block < this.#blocks; block += 1) await wire.send(this.#block);
    await wire.send(this.#last(number));
  }

  #last(number: number): Uint8Array {
    const block = Buffer.from(this.#block);
    block.writeUInt32LE(number);
    return block;
  }
}

/** Reads `length` bytes without keeping them. */
export async function digestOfRest(wire: Wire, length: number): Promise<Digest> {
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= MIB) hash.update(await wire.bytes(Math.min(left, MIB)));
  return toDigest("sha256", hash.digest("hex"));
}
