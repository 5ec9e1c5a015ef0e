import { brokenTar, pass, type Reading, skipPadding, WORK } from "./tarsum-bytes.ts";
import { readEntry, type TarEntry } from "./tarsum-entry.ts";
import type { TarHeader } from "./tarsum-header.ts";
import type { TarsumLimits } from "./tarsum-limits.ts";

/** Is told what a tar holds, one entry after the other. */
export interface ArchiveVisitor {
  begin(header: TarHeader): void;
  /** Bytes of the file, holes with them, in order; valid during the call only. */
  content(bytes: Buffer): void;
  end(): void;
}

const ZEROS: Buffer = Buffer.alloc(2 ** 16);

/**
 * Reads a tar to the end of its stream. Behind the end of the archive there may be zeros, any number of them (GNU tar
 * fills up to 10 KiB; the registry of 2015 took none), and nothing else.
 *
 * @throws {DigestInvalid} for what is broken or above a limit
 */
export function* readArchive(visitor: ArchiveVisitor, limits: TarsumLimits): Reading {
  let holes = 0;
  for (let entry = yield* readEntry(limits); entry !== undefined; entry = yield* readEntry(limits)) {
    holes += entry.holes;
    if (holes > limits.holeBytes) {
      throw brokenTar(`its sparse files have holes of more than ${limits.holeBytes} bytes, too many to verify`);
    }
    visitor.begin(entry.header);
    yield* readContent(entry, (bytes) => visitor.content(bytes));
    yield* skipPadding(entry.stored);
    visitor.end();
  }
  yield* readZeros();
}

function* readContent({ header, stored, map }: TarEntry, give: (bytes: Buffer) => void): Reading {
  if (map === undefined) return yield* pass(stored, give);
  let position = 0;
  for (const { offset, size } of map.fragments) {
    yield* giveZeros(offset - position, give);
    yield* pass(size, give);
    position = offset + size;
  }
  yield* giveZeros(header.size - position, give);
}

function* giveZeros(size: number, give: (bytes: Buffer) => void): Reading {
  for (let left = size; left > 0; left -= ZEROS.length) {
    give(ZEROS.subarray(0, left));
    yield WORK;
  }
}

function* readZeros(): Reading {
  for (;;) {
    const bytes = yield ZEROS.length;
    if (bytes === undefined) return;
    if (!bytes.equals(ZEROS.subarray(0, bytes.length))) throw brokenTar("something stands behind its end");
  }
}
