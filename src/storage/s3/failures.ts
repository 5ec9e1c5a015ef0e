/** What the failures of S3 and of the way there mean. */
import { StorageError, StorageUnreachable } from "../errors.ts";
import { S3 } from "./parameters.ts";

/** What the SDK throws, as far as anybody looks at it. */
interface Failure {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/** S3 says that there is no such object. A missing bucket, a 404 of something between or a refusal is no such word. */
export function isAbsent(error: unknown): boolean {
  const { name } = nameOf(error);
  return name === "NoSuchKey" || name === "NotFound";
}

/** It may also have been something between that said so, or a server that gives no reasons. */
export function isUncertain(error: unknown): boolean {
  return nameOf(error).name === "NotFound";
}

/** The multipart upload was completed or aborted. */
export function isUploadGone(error: unknown): boolean {
  return nameOf(error).name === "NoSuchUpload";
}

/** A part is not, or no more, the one whose tag was given. */
export function isPartChanged(error: unknown): boolean {
  const { name } = nameOf(error);
  return name === "InvalidPart" || name === "InvalidPartOrder";
}

/** The offset lies at or behind the end. */
export function isPastEnd(error: unknown): boolean {
  return nameOf(error).name === "InvalidRange" || statusOf(error) === 416;
}

/** The object is another one than when it was looked at. */
export function isReplaced(error: unknown): boolean {
  return nameOf(error).name === "PreconditionFailed" || statusOf(error) === 412;
}

/** The request was sent more than once, so an earlier one may have had its effect. */
export function wasRepeated(error: unknown): boolean {
  return (nameOf(error).$metadata?.attempts ?? 1) > 1;
}

export function toStorageError(call: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const Kind = isOutage(error) ? StorageUnreachable : StorageError;
  return new Kind(S3, `${call} failed: ${reasonOf(error)}`, { cause: error });
}

/** No answer, or none that was about what was asked. */
function isOutage(error: unknown): boolean {
  return (statusOf(error) ?? 500) >= 500;
}

function reasonOf(error: unknown): string {
  const { name, code, message } = nameOf(error);
  const status = statusOf(error);
  const attempts = wasRepeated(error) ? ` after ${nameOf(error).$metadata?.attempts} attempts` : "";
  const own = status === undefined ? message?.split("\n")[0] : undefined; // what S3 said is told by its name
  const what = code ?? own ?? name ?? "unknown error";
  return `${what}${status === undefined ? "" : ` (${status})`}${attempts}`;
}

function statusOf(error: unknown): number | undefined {
  return nameOf(error).$metadata?.httpStatusCode;
}

function nameOf(error: unknown): Failure {
  return typeof error === "object" && error !== null ? error : {};
}
