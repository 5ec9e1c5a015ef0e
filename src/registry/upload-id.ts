/** A UUID of any version, made by {@link parseUploadId}. */
export type UploadId = string & { readonly __brand: "UploadId" };

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** @returns undefined for anything that no registry of this family hands out */
export function parseUploadId(text: string): UploadId | undefined {
  return UUID.test(text) ? (text as UploadId) : undefined;
}
