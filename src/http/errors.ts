/**
 * The registry's errors as clients see them: a status and `{"errors":[{code,message,detail}]}`.
 *
 * @see http-api, section 4; OCI distribution-spec 1.1, "Error codes"
 */
import {
  type ErrorName,
  RegistryError,
  RegistryErrors,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  Unknown,
} from "../oci/errors.ts";
import { StorageBusy, StorageDown, StorageError, StorageFull, StorageUnreachable } from "../storage/errors.ts";

const STATUS: Readonly<Record<ErrorName, number>> = {
  BlobUnknown: 404,
  Denied: 403,
  DigestInvalid: 400,
  ManifestBlobUnknown: 400,
  ManifestInvalid: 400,
  ManifestTooLarge: 413,
  ManifestUnknown: 404,
  ManifestUnverified: 400,
  NameInvalid: 400,
  NameUnknown: 404,
  PageSizeInvalid: 400,
  PreconditionFailed: 412,
  RangeInvalid: 416,
  RegistryClosed: 503,
  SizeInvalid: 400,
  TagInvalid: 400,
  TooManyRequests: 429,
  Unauthorized: 401,
  Unavailable: 503,
  Unknown: 500,
  Unsupported: 405,
  UploadInvalid: 404,
  UploadUnknown: 404,
};

/** s. What a client should wait before it asks again for what cannot be had now. */
const RETRY_AFTER = 5;

const PASSING: ReadonlySet<number> = new Set([429, 503]);

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with a newline behind it. */
  readonly body: string;
  readonly errors: readonly [RegistryError, ...RegistryError[]];
  /** Whether an operator should hear of it. */
  readonly ours: boolean;
}

/** @param error anything that was thrown */
export function toAnswer(error: unknown): ErrorAnswer {
  const errors = error instanceof RegistryErrors ? error.errors : ([toRegistryError(error)] as const);
  const status = STATUS[errors[0].name];
  const body = JSON.stringify({ errors: errors.map(({ code, message, detail }) => ({ code, message, detail })) });
  return {
    status,
    headers: {
      "content-type": "application/json",
      ...(PASSING.has(status) && { "retry-after": String(patienceFor(errors[0])) }),
      ...(errors[0] instanceof Unauthorized && { "www-authenticate": errors[0].challenge }),
    },
    body: `${body}\n`,
    ours: status >= 500 && !isTold(error),
    errors,
  };
}

/** s */
function patienceFor(error: RegistryError): number {
  return (error instanceof TooManyRequests ? error.retryAfter : undefined) ?? RETRY_AFTER;
}

/** What refuses calls tells the log once, not for each of them. */
function isTold(error: unknown): boolean {
  return error instanceof StorageDown || error instanceof StorageBusy;
}

/** Paths and drivers stay in the log. */
function toRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof StorageFull) {
    return new Unavailable(
      "the registry's storage is full: free some room and push again; an upload that was cut short can be resumed",
    );
  }
  if (error instanceof StorageBusy) {
    return new Unavailable("the registry's storage does not keep up with what it is asked; try again in a moment");
  }
  if (error instanceof StorageDown || error instanceof StorageUnreachable) {
    return new Unavailable("the registry's storage does not answer; try again in a moment");
  }
  if (error instanceof StorageError) {
    return new Unavailable("the registry's storage failed; its log says how");
  }
  return new Unknown("the registry failed; its log says how");
}
