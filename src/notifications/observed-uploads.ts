import { decorate } from "../lib/decorate.ts";
import type { BlobDescriptor } from "../oci/descriptor.ts";
import type { Upload } from "../registry/registry.ts";

/** @param pushed called once the upload has become a blob; the upload's promise waits for it */
export function observeUpload(upload: Upload, pushed: (blob: BlobDescriptor) => Promise<void>): Upload {
  return decorate(upload, {
    append: async (content, options) => observeUpload(await upload.append(content, options), pushed),
    async commit(digest) {
      const blob = await upload.commit(digest);
      await pushed(blob);
      return blob;
    },
    async finish(content, digest) {
      const blob = await upload.finish(content, digest);
      await pushed(blob);
      return blob;
    },
  });
}
