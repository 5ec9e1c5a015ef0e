/** What a program that embeds the registry may use. Everything else may change at any time. */
export type { Access, AccessAction } from "./auth/access.ts";
export type * from "./auth/access-controller.ts";
export type * from "./auth/open-access-controller.ts";
export type * from "./cache/descriptor-cache.ts";
export type { CacheCounts, LookupCounts } from "./cache/lookup-counts.ts";
export { MemoryCache, type MemoryCacheOptions } from "./cache/memory.ts";
export { openRedisCache, type RedisOptions } from "./cache/open-redis.ts";
export type { RedisServer, TlsFiles } from "./cache/redis-options.ts";
export { blobHandler } from "./http/blobs.ts";
export { decorate } from "./lib/decorate.ts";
export {
  createHandler,
  type Handler,
  type HandlerOptions,
  openRegistry,
  type RegistryOptions,
} from "./library.ts";
export { type BlobDigest, isBlobDigest, parseBlobDigest } from "./oci/blob-digest.ts";
export type { BlobDescriptor, Descriptor, MountedBlob, Platform } from "./oci/descriptor.ts";
export { type Digest, type DigestAlgorithm, digestOf, isDigest, parseDigest } from "./oci/digest.ts";
export * from "./oci/errors.ts";
export type { FaultHandler, JsonObject } from "./oci/json-fields.ts";
export type { Manifest } from "./oci/manifest.ts";
export type * from "./oci/manifest-kind.ts";
export { readDescriptors, readReferrerFields, requireDescriptor } from "./oci/manifest-kind.ts";
export { ManifestKinds } from "./oci/manifest-kinds.ts";
export { MediaType } from "./oci/media-types.ts";
export { isTag, parseRepositoryName, parseTag, type RepositoryName, type Tag } from "./oci/names.ts";
export type { Schema1Options } from "./oci/schema1/kind.ts";
export type { PublicJwk, PublicKey } from "./oci/schema1/public-key.ts";
export { makeSigningKey, parseSigningKey, type SigningKey } from "./oci/schema1/signing-key.ts";
export { isTarsum, parseTarsum, type Tarsum } from "./oci/tarsum.ts";
export { PathMapper } from "./registry/paths.ts";
export type { ReferenceRules } from "./registry/reference-rules.ts";
export type * from "./registry/registry.ts";
export { parseUploadId, type UploadId } from "./registry/upload-id.ts";
export type { Matcher, UrlPolicy } from "./registry/url-policy.ts";
export type * from "./registry/wrapping.ts";
export type * from "./storage/driver.ts";
export { canRedirect, hasBucketKeys } from "./storage/driver.ts";
export * from "./storage/errors.ts";
export { openFilesystem } from "./storage/filesystem.ts";
export type { GuardOptions } from "./storage/guard.ts";
export { guardDriver } from "./storage/guarded.ts";
export { MemoryDriver } from "./storage/memory.ts";
export { type CloudfrontOptions, redirectToCloudfront } from "./storage/middleware/cloudfront.ts";
export { type RedirectOptions, redirectToBase } from "./storage/middleware/redirect.ts";
export { type RewriteOptions, rewriteRedirects } from "./storage/middleware/rewrite.ts";
export type * from "./storage/open-driver.ts";
export type * from "./storage/wrap-driver.ts";
