import { mapConcurrent } from "../lib/concurrency.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { RegistryContext } from "./context.ts";
import { readLink } from "./links.ts";

import { tableEntries, tableEntry } from "./referrers-table.ts";
import type { ListOptions, ReferrersService } from "./registry.ts";

/** Entries read at once, and ahead of the caller; each may have megabytes of annotations. */
const CONCURRENCY = 4;

export class StoredReferrersService implements ReferrersService {
  readonly #context: RegistryContext;
  readonly #repository: RepositoryName;

  constructor(context: RegistryContext, repository: RepositoryName) {
    this.#context = context;
    this.#repository = repository;
  }

  async *list(subject: Digest, { after, signal }: ListOptions<Digest> = {}): AsyncGenerator<Descriptor, void, void> {
    const all = await tableEntries(this.#context, this.#repository, subject);
    const digests = all.filter((digest) => after === undefined || digest > after);
    for (let i = 0; i < digests.length; i += CONCURRENCY) {
      signal?.throwIfAborted();
      const some = digests.slice(i, i + CONCURRENCY);
      const descriptors = await mapConcurrent(some, CONCURRENCY, (digest) => this.#linked(subject, digest));
      for (const descriptor of descriptors) if (descriptor) yield descriptor;
    }
  }

  async #linked(subject: Digest, digest: Digest): Promise<Descriptor | undefined> {
    const link = await readLink(this.#context.driver, this.#context.paths.revisionLink(this.#repository, digest));
    return link && (await tableEntry(this.#context, this.#repository, subject, digest));
  }
}
