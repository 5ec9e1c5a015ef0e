import { decorate } from "../lib/decorate.ts";
import type { BlobDigest } from "../oci/blob-digest.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import type { Repository, UploadService } from "../registry/registry.ts";
import type { EventTarget } from "./event.ts";
import { observeManifests } from "./observed-manifests.ts";
import { observeUpload } from "./observed-uploads.ts";
import type { Observer } from "./observer.ts";

/**
 * Tells of everything that one request does to a repository. What changes something is told before its promise resolves,
 * and after it is done.
 *
 * @see notifications, section 4
 */
export function observeRepository(repository: Repository, observer: Observer): Repository {
  return decorate(repository, {
    blobs: observeBlobs(repository, observer),
    uploads: observeUploads(repository, observer),
    ...observeManifests(repository, observer),
  });
}

function observeBlobs({ name, blobs }: Repository, observer: Observer): Repository["blobs"] {
  const opened = new Set<BlobDigest>();
  return decorate(blobs, {
    async open(digest) {
      const blob = await blobs.open(digest);
      // One request may open it twice, where a cache was wrong.
      if (!opened.has(digest)) observer.pulled(() => blobTarget(observer, name, blob.descriptor));
      opened.add(digest);
      return blob;
    },
    async mount(digest, from) {
      const mounted = await blobs.mount(digest, from);
      const target = blobTarget(observer, name, mounted);
      // From itself: a push that is acknowledged again, and that nobody may have told of the first time.
      if (mounted.from === name) await observer.tell("push", target);
      else await observer.tell("mount", { ...target, fromRepository: mounted.from });
      return mounted;
    },
    async delete(digest) {
      await blobs.delete(digest);
      await observer.tell("delete", { repository: name, digest });
    },
  });
}

function observeUploads({ name, uploads }: Repository, observer: Observer): UploadService {
  const pushed = (blob: BlobDescriptor): Promise<void> => observer.tell("push", blobTarget(observer, name, blob));
  return decorate(uploads, {
    start: async (options) => observeUpload(await uploads.start(options), pushed),
    async put(content, digest) {
      const blob = await uploads.put(content, digest);
      await pushed(blob);
      return blob;
    },
    resume: async (id) => observeUpload(await uploads.resume(id), pushed),
  });
}

function blobTarget({ base }: Observer, repository: Repository["name"], content: BlobDescriptor): EventTarget {
  return { repository, content, url: `${base}v2/${repository}/blobs/${content.digest}` };
}
