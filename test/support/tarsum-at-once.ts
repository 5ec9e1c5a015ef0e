import type { Tarsum } from "../../src/oci/tarsum.ts";
import { TarsumHash } from "../../src/oci/tarsum-hash.ts";
import type { Steps } from "../../src/oci/tarsum-steps.ts";

/** A hash without anybody between its steps, for a test that has nobody else. */
export class TarsumAtOnce {
  readonly #hash: TarsumHash;

  constructor(...options: ConstructorParameters<typeof TarsumHash>) {
    this.#hash = new TarsumHash(...options);
  }

  update(chunk: Uint8Array): void {
    atOnce(this.#hash.update(chunk));
  }

  digest(): Tarsum {
    return atOnce(this.#hash.digest());
  }
}

export function atOnce<T>(steps: Steps<T>): T {
  return countSteps(steps).value;
}

/** What comes of the steps, and how many pauses there were between them. */
export function countSteps<T>(steps: Steps<T>): { readonly value: T; readonly pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done) return { value, pauses };
  }
}
