import { decorate } from "../lib/decorate.ts";
import type { Digest } from "../oci/digest.ts";
import { ManifestUnknown } from "../oci/errors.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Tag } from "../oci/names.ts";
import { EMPTY_LAYER } from "../oci/schema1/conversion.ts";
import type { Repository, Schema1Conversion, StoredManifest } from "../registry/registry.ts";
import type { EventTarget } from "./event.ts";
import { ManifestTargets } from "./manifest-targets.ts";
import type { Observer } from "./observer.ts";

/** What was stored and is going to be tagged: its tags tell of it. */
interface Stored {
  readonly manifest: Manifest;
  told: boolean;
}

export function observeManifests(
  repository: Repository,
  observer: Observer,
): Pick<Repository, "manifests" | "tags" | "schema1"> {
  const targets = new ManifestTargets(repository.name, observer);
  return {
    ...observeStored(repository, observer, targets),
    ...(repository.schema1 && { schema1: observeConversion(repository, repository.schema1, observer, targets) }),
  };
}

function observeStored(
  { name, manifests, tags }: Repository,
  observer: Observer,
  targets: ManifestTargets,
): Pick<Repository, "manifests" | "tags"> {
  const resolved = new Map<Digest, Tag>();
  const stored = new Map<Digest, Stored>();
  const pulled = (manifest: StoredManifest, tag: Tag | undefined): StoredManifest => {
    observer.pulled(() => targets.ofStored(manifest, tag));
    return manifest;
  };
  return {
    manifests: decorate(manifests, {
      get: async (digest) => pulled(await manifests.get(digest), resolved.get(digest)),
      getByTag: async (tag) => pulled(await manifests.getByTag(tag), tag),
      async put(manifest, digest, options) {
        const warnings = await manifests.put(manifest, digest, options);
        if (options?.tags?.length) stored.set(digest, { manifest, told: false });
        else if (!stored.has(digest)) await observer.tell("push", targets.ofPushed(manifest, digest));
        return warnings;
      },
      async delete(digest) {
        const untagged = await manifests.delete(digest);
        const byTag = untagged.map((tag): EventTarget => ({ repository: name, tag }));
        await observer.tell("delete", { repository: name, digest }, ...byTag);
        return untagged;
      },
    }),
    tags: decorate(tags, {
      async resolve(tag) {
        const digest = await tags.resolve(tag);
        resolved.set(digest, tag);
        return digest;
      },
      async set(tag, digest, condition) {
        const push = stored.get(digest);
        try {
          await tags.set(tag, digest, condition);
        } catch (error) {
          if (push && !(error instanceof ManifestUnknown)) await tellUntagged(push, digest, observer, targets);
          throw error;
        }
        if (!push) return;
        push.told = true;
        await observer.tell("push", targets.ofPushed(push.manifest, digest, tag));
      },
      async delete(tag) {
        await tags.delete(tag);
        await observer.tell("delete", { repository: name, tag });
      },
    }),
  };
}

/** The tag was refused, and the manifest is there nonetheless. */
async function tellUntagged(push: Stored, digest: Digest, observer: Observer, targets: ManifestTargets): Promise<void> {
  if (push.told) return;
  push.told = true;
  await observer.tell("push", targets.ofPushed(push.manifest, digest));
}

/** As the peers do it: a conversion reads the configuration, and stores the empty layer where it needs it first. */
function observeConversion(
  { blobs }: Repository,
  schema1: Schema1Conversion,
  observer: Observer,
  targets: ManifestTargets,
): Schema1Conversion {
  return decorate(schema1, {
    async convert(image, tag) {
      const before = await blobs.has(EMPTY_LAYER.digest);
      const converted = await schema1.convert(image, tag);
      const { config } = observer.options.kinds.read(image.bytes);
      if (config) observer.pulled(() => targets.ofBlob(config.digest, config.size));
      if (!before && (await blobs.has(EMPTY_LAYER.digest))) {
        await observer.tell("push", targets.ofBlob(EMPTY_LAYER.digest, EMPTY_LAYER.bytes.length));
      }
      return converted;
    },
  });
}
