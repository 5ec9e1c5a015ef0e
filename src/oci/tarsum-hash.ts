import { createHash, type Hash } from "node:crypto";
import { type Tarsum, type TarsumMethod, type TarsumVersion, toTarsum } from "./tarsum.ts";
import { type ArchiveVisitor, readArchive } from "./tarsum-archive.ts";
import { type Reading, WORK } from "./tarsum-bytes.ts";
import { EntrySums } from "./tarsum-entry-sums.ts";
import type { TarHeader } from "./tarsum-header.ts";
import { TARSUM_LIMITS, type TarsumLimits } from "./tarsum-limits.ts";
import { paced, type Steps } from "./tarsum-steps.ts";

/**
 * Calculates the tarsum of an uncompressed tar that arrives in pieces of any size, in steps of some milliseconds: nothing
 * is done until these are, to their end and one call's after the other's. Memory is bounded by the limits whatever the
 * tar says, and after the first error every call throws that error again.
 *
 * No bytes at all are an empty tar. What no sum covers (padding, times but in v0, how a number is written, records of an
 * extended header that mean nothing here) may differ between tars of one tarsum: a canonical digest beside it tells them
 * apart.
 *
 * With sha512 it hashes entries and their sums alike, as the format has it; the registry of 2015 verified sha256 only.
 *
 * @see Docker's "TarSum checksum specification" of 2014
 */
export class TarsumHash {
  readonly #method: TarsumMethod;
  readonly #sums: EntrySums;
  readonly #reading: Reading;
  /** The most bytes that the reading takes next. */
  #wanted: number = WORK;
  #failure: unknown;

  constructor(method: TarsumMethod, limits: TarsumLimits = TARSUM_LIMITS) {
    this.#method = method;
    this.#sums = new EntrySums(createHash(method.algorithm).digest().length, limits.entries);
    this.#reading = readArchive(new EntryHash(method, this.#sums), limits);
    this.#advance(() => this.#reading.next());
  }

  /**
   * Keeps nothing of the chunk after the last step.
   *
   * @throws {DigestInvalid} as soon as the stream is no tar that has a sum
   */
  update(chunk: Uint8Array): Steps {
    return paced(this.#read(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }

  /**
   * Ends the stream; nothing can be called after it.
   *
   * @throws {DigestInvalid} when the tar is not whole, or a path's entries have no certain order
   */
  digest(): Steps<Tarsum> {
    return paced(this.#end());
  }

  *#read(bytes: Buffer): Steps {
    this.#throwFailure();
    for (let start = 0; start < bytes.length || this.#wanted === WORK; ) {
      const piece = bytes.subarray(start, start + this.#wanted);
      this.#advance(() => this.#reading.next(piece));
      start += piece.length;
      yield;
    }
  }

  *#end(): Steps<Tarsum> {
    this.#throwFailure();
    while (!this.#advance(() => this.#reading.next(undefined))) yield;
    const total = createHash(this.#method.algorithm);
    yield* this.#sums.addTo(total);
    this.#failure = new TypeError("the tarsum has been read already");
    return toTarsum(this.#method, total.digest("hex"));
  }

  /** Whether the reading has come to its end. */
  #advance(step: () => IteratorResult<number, void>): boolean {
    try {
      const { done, value } = step();
      this.#wanted = value ?? WORK;
      return done === true;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Hashes one entry after the other. */
class EntryHash implements ArchiveVisitor {
  readonly #method: TarsumMethod;
  readonly #sums: EntrySums;
  #hash: Hash;
  #name = "";

  constructor(method: TarsumMethod, sums: EntrySums) {
    this.#method = method;
    this.#sums = sums;
    this.#hash = createHash(method.algorithm);
  }

  begin(header: TarHeader): void {
    this.#name = header.name;
    this.#hash = createHash(this.#method.algorithm).update(summedText(header, this.#method.version), "latin1");
  }

  content(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  end(): void {
    this.#sums.add(this.#name, this.#hash.digest());
  }
}

/** Names and values without anything between them; extended attributes, where they count, by name. */
function summedText(header: TarHeader, version: TarsumVersion): string {
  const { name, mode, uid, gid, size, mtime, typeflag, linkname, uname, gname, devmajor, devminor } = header;
  const owner = `name${name}mode${mode}uid${uid}gid${gid}size${size}`;
  const time = version === "v0" ? `mtime${mtime}` : "";
  const rest = `typeflag${typeflag}linkname${linkname}uname${uname}gname${gname}`;
  const attributes = version === "v0" ? [] : [...header.xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${owner}${time}${rest}devmajor${devmajor}devminor${devminor}${attributes.flat().join("")}`;
}
