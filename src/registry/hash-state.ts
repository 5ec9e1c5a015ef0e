/**
 * The peers' resumable hash state: what Go's hashes print of themselves, so that another process, ours or a peer's, goes on
 * with an upload without reading it again.
 *
 *     magic   "sha" and 0x03 (sha256), 0x04 (sha384) or 0x07 (sha512)     4 bytes
 *     words   the chaining value, 8 words of 4 or 8 bytes, big-endian     32 or 64
 *     block   the bytes since the last whole block, then zeros            64 or 128
 *     length  of what was hashed, in bytes, big-endian                    8
 *
 * The hash itself is that of hash-wasm, which runs in WebAssembly and can be saved and loaded, in a layout of its own:
 * 4 bytes that name its build, then block, length, words, the digest's size (4 bytes) and 4 unused ones, little-endian
 * but for the block. {@link verifyLayout} makes a release with another layout fail before it hashes anything.
 *
 * @see storage-layout, section 5, "Resumable hash state"
 */
import { hash } from "node:crypto";
import type { IHasher } from "hash-wasm";
import type { DigestAlgorithm } from "../oci/digest.ts";

/** A hash that can be carried to another process. Not for two writers at once. */
export interface ResumableHash {
  update(chunk: Uint8Array): void;
  /** Of what was hashed so far, in hex; hashing can go on. */
  digest(): string;
  /** Bytes hashed, with those before the hash was resumed. */
  readonly length: number;
  /** The state in Go's form. */
  save(): Uint8Array;
}

export async function createResumableHash(algorithm: DigestAlgorithm): Promise<ResumableHash> {
  return new WasmHash(await createHasher(algorithm), FORMATS[algorithm]);
}

/** @returns undefined where `state` is not one of this algorithm, or contradicts itself */
export async function resumeHash(algorithm: DigestAlgorithm, state: Uint8Array): Promise<ResumableHash | undefined> {
  const format = FORMATS[algorithm];
  const content = parseGoState(format, new Uint8Array(state));
  if (content === undefined) return undefined;
  return new WasmHash(loadContent(await createHasher(algorithm), format, content), format, content.length);
}

class WasmHash implements ResumableHash {
  readonly #hasher: IHasher;
  readonly #format: Format;
  #length: number;

  constructor(hasher: IHasher, format: Format, length = 0) {
    this.#hasher = hasher;
    this.#format = format;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  update(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    this.#length += chunk.length;
  }

  digest(): string {
    const state = this.#hasher.save();
    const hex = this.#hasher.digest();
    this.#hasher.load(state);
    return hex;
  }

  save(): Uint8Array {
    return printGoState(this.#format, saveContent(this.#hasher, this.#format));
  }
}

interface Format {
  readonly create: () => Promise<IHasher>;
  /** Last byte of the magic. */
  readonly mark: number;
  /** Bytes. */
  readonly word: 4 | 8;
  /** The chaining value before the first byte, in hex, for {@link verifyLayout}. */
  readonly initial: string;
}

const FORMATS: Readonly<Record<DigestAlgorithm, Format>> = {
  sha256: {
    create: async () => await (await import("hash-wasm")).createSHA256(),
    mark: 3,
    word: 4,
    initial: "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
  },
  sha384: {
    create: async () => await (await import("hash-wasm")).createSHA384(),
    mark: 4,
    word: 8,
    initial:
      "cbbb9d5dc1059ed8629a292a367cd5079159015a3070dd17152fecd8f70e5939" +
      "67332667ffc00b318eb44a8768581511db0c2e0d64f98fa747b5481dbefa4fa4",
  },
  sha512: {
    create: async () => await (await import("hash-wasm")).createSHA512(),
    mark: 7,
    word: 8,
    initial:
      "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1" +
      "510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179",
  },
};

/** What a state says, in whichever form. */
interface Content {
  /** Big-endian. */
  readonly words: Uint8Array;
  /** Zeros behind the bytes that count. */
  readonly block: Uint8Array;
  readonly length: number;
}

const MAGIC = 4;
const COUNTER = 8;

function parseGoState({ mark, word }: Format, state: Uint8Array): Content | undefined {
  const [words, block, end] = [MAGIC, MAGIC + 8 * word, MAGIC + 24 * word];
  if (state.length !== end + COUNTER || !equal(state.subarray(0, MAGIC), magic(mark))) return undefined;
  const length = Number(viewOf(state).getBigUint64(end));
  const content = { words: state.subarray(words, block), block: state.subarray(block, end), length };
  const unused = content.block.subarray(length % content.block.length);
  return Number.isSafeInteger(length) && unused.every((byte) => byte === 0) ? content : undefined;
}

function printGoState({ mark }: Format, { words, block, length }: Content): Uint8Array {
  const counter = new Uint8Array(COUNTER);
  viewOf(counter).setBigUint64(0, BigInt(length));
  return Buffer.concat([magic(mark), words, block, counter]);
}

function magic(mark: number): Uint8Array {
  return Buffer.from([0x73, 0x68, 0x61, mark]);
}

const BUILD = 4;

function loadContent(hasher: IHasher, { word }: Format, { words, block, length }: Content): IHasher {
  const state = hasher.save();
  state.set(block, BUILD);
  viewOf(state).setBigUint64(BUILD + block.length, BigInt(length), true);
  state.set(swapped(words, word), BUILD + block.length + COUNTER);
  return hasher.load(state);
}

function saveContent(hasher: IHasher, { word }: Format): Content {
  const state = hasher.save();
  const counter = BUILD + 16 * word;
  const length = Number(viewOf(state).getBigUint64(counter, true));
  const block = state.slice(BUILD, counter).fill(0, length % (16 * word));
  const words = swapped(state.subarray(counter + COUNTER, counter + COUNTER + 8 * word), word);
  return { words, block, length };
}

/** A copy with the bytes of each word turned round. */
function swapped(words: Uint8Array, word: 4 | 8): Uint8Array {
  const copy = Buffer.from(words);
  return word === 4 ? copy.swap32() : copy.swap64();
}

const verified = new Map<DigestAlgorithm, Promise<void>>();

async function createHasher(algorithm: DigestAlgorithm): Promise<IHasher> {
  const verification = verified.get(algorithm) ?? verifyLayout(algorithm);
  verified.set(algorithm, verification);
  await verification;
  return await FORMATS[algorithm].create();
}

/** Saves a hash with a known state, and goes on from it in another. */
async function verifyLayout(algorithm: DigestAlgorithm): Promise<void> {
  const format = FORMATS[algorithm];
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
  const content = saveContent((await format.create()).update(bytes.subarray(0, 5)), format);
  const block = Buffer.concat([bytes.subarray(0, 5)], 16 * format.word);
  const isKnown = equal(content.words, Buffer.from(format.initial, "hex")) && equal(content.block, block);
  const hex = loadContent(await format.create(), format, content)
    .update(bytes.subarray(5))
    .digest();
  if (!isKnown || content.length !== 5 || hex !== hash(algorithm, bytes, "hex")) {
    throw new Error(`this release of hash-wasm keeps its ${algorithm} state in a layout of which nothing is known`);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
