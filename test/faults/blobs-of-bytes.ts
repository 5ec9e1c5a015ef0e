import assert from "node:assert/strict";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { KIB, MIB } from "./form.ts";

/** A blob in which every byte says to which blob it belongs: the one with number `fill` is filled with that byte. */
export interface FilledBlob {
  readonly fill: number;
  readonly size: number;
  readonly digest: Digest;
  /** In the API. */
  readonly path: string;
}

/** Around every border at which the server changes its way to send. */
const SIZES = [
  1,
  2,
  1000,
  ...[16, 64, 128, 256, 512, 768, 1024].flatMap((border) => [border * KIB - 1, border * KIB, border * KIB + 1]),
  2 * MIB + 17,
  5 * MIB + 1,
  8 * MIB,
];

/** Pushes one blob of each size. */
export async function pushFilledBlobs(url: string, repository: string): Promise<FilledBlob[]> {
  const http = new RegistryClient(url);
  const blobs: FilledBlob[] = [];
  for (const [index, size] of SIZES.entries()) {
    const bytes = Buffer.alloc(size, index + 1);
    const digest = digestOf(bytes);
    await http.pushBlob(repository, { bytes, descriptor: { mediaType: "", digest, size } });
    blobs.push({ fill: index + 1, size, digest, path: `/v2/${repository}/blobs/${digest}` });
  }
  return blobs;
}

/** Fails where any byte of `bytes` is one of another blob. */
export function expectFilled(bytes: Buffer, { fill }: FilledBlob, length: number): void {
  assert.equal(bytes.length, length);
  if (bytes.equals(filled(fill, length))) return;
  const at = bytes.findIndex((byte) => byte !== fill);
  assert.fail(`byte ${at} of ${length} is ${bytes[at]} in the blob of ${fill}`);
}

function filled(fill: number, length: number): Buffer {
  return Buffer.alloc(length, fill);
}
