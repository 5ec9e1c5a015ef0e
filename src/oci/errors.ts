/**
 * What can go wrong between a client and a registry, one class a case. Each carries the code of the specification, its
 * standard message and a detail that says what was wrong; which HTTP status belongs to it is the edge's business.
 *
 * @see OCI distribution-spec 1.1, "Error codes"
 */
export abstract class RegistryError extends Error {
  abstract override readonly name: ErrorName;
  abstract readonly code: ErrorCode;
  /** What was wrong, for the client. Never a storage path. */
  readonly detail: unknown;

  constructor(message: string, detail?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.detail = detail;
  }
}

export type ErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "MANIFEST_UNVERIFIED"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "PRECONDITION_FAILED"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNSUPPORTED";

export type ErrorName =
  | "BlobUnknown"
  | "Denied"
  | "DigestInvalid"
  | "ManifestBlobUnknown"
  | "ManifestInvalid"
  | "ManifestTooLarge"
  | "ManifestUnknown"
  | "ManifestUnverified"
  | "NameInvalid"
  | "NameUnknown"
  | "PageSizeInvalid"
  | "PreconditionFailed"
  | "RangeInvalid"
  | "RegistryClosed"
  | "SizeInvalid"
  | "TagInvalid"
  | "TooManyRequests"
  | "Unauthorized"
  | "Unavailable"
  | "Unknown"
  | "Unsupported"
  | "UploadInvalid"
  | "UploadUnknown";

/** Several errors of one request, in the order in which the client should read them. */
export class RegistryErrors extends Error {
  override readonly name: string = "RegistryErrors";
  readonly errors: readonly [RegistryError, ...RegistryError[]];

  constructor(errors: readonly [RegistryError, ...RegistryError[]]) {
    super(errors.map((error) => error.message).join("; "));
    this.errors = errors;
  }
}

export class BlobUnknown extends RegistryError {
  readonly name = "BlobUnknown" as const;
  readonly code = "BLOB_UNKNOWN" as const;
  constructor(detail?: unknown) {
    super("blob unknown to registry", detail);
  }
}

/** A rule of the operator's forbids it, whoever asks. */
export class Denied extends RegistryError {
  readonly name = "Denied" as const;
  readonly code = "DENIED" as const;
  constructor(detail?: unknown, message = "requested access to the resource is denied") {
    super(message, detail);
  }
}

export class DigestInvalid extends RegistryError {
  readonly name = "DigestInvalid" as const;
  readonly code = "DIGEST_INVALID" as const;
  constructor(detail?: unknown) {
    super("provided digest did not match uploaded content", detail);
  }
}

/** A manifest names content that this repository does not hold. */
export class ManifestBlobUnknown extends RegistryError {
  readonly name = "ManifestBlobUnknown" as const;
  readonly code = "MANIFEST_BLOB_UNKNOWN" as const;
  constructor(digest: string) {
    super("blob unknown to registry", digest);
  }
}

export class ManifestInvalid extends RegistryError {
  readonly name = "ManifestInvalid" as const;
  readonly code = "MANIFEST_INVALID" as const;
  constructor(detail?: unknown) {
    super("manifest invalid", detail);
  }
}

export class ManifestTooLarge extends RegistryError {
  readonly name = "ManifestTooLarge" as const;
  readonly code = "MANIFEST_INVALID" as const;
  /** @param limit bytes */
  constructor(limit: number) {
    super("manifest invalid", `a manifest may have at most ${limit} bytes`);
  }
}

export class ManifestUnknown extends RegistryError {
  readonly name = "ManifestUnknown" as const;
  readonly code = "MANIFEST_UNKNOWN" as const;
  constructor(detail?: unknown) {
    super("manifest unknown", detail);
  }
}

/** A signature of a schema 1 manifest does not hold, or its key cannot be used. */
export class ManifestUnverified extends RegistryError {
  readonly name = "ManifestUnverified" as const;
  readonly code = "MANIFEST_UNVERIFIED" as const;
  constructor(detail: string, options?: ErrorOptions) {
    super("manifest failed signature verification", detail, options);
  }
}

export class NameInvalid extends RegistryError {
  readonly name = "NameInvalid" as const;
  readonly code = "NAME_INVALID" as const;
  constructor(detail?: unknown) {
    super("invalid repository name", detail);
  }
}

export class NameUnknown extends RegistryError {
  readonly name = "NameUnknown" as const;
  readonly code = "NAME_UNKNOWN" as const;
  constructor(repository: string) {
    super("repository name not known to registry", { name: repository });
  }
}

export class PageSizeInvalid extends RegistryError {
  readonly name = "PageSizeInvalid" as const;
  readonly code = "PAGINATION_NUMBER_INVALID" as const;
  /** @param n what was asked for, as the client gave it or as a number */
  constructor(n: string | number) {
    super("invalid number of results requested", { n });
  }
}

/** A condition of the request (If-Match, If-None-Match) does not hold. */
export class PreconditionFailed extends RegistryError {
  readonly name = "PreconditionFailed" as const;
  readonly code = "PRECONDITION_FAILED" as const;
  constructor(detail: string) {
    super("a condition of the request does not hold", detail);
  }
}

/** A chunk does not start where the upload stands. */
export class RangeInvalid extends RegistryError {
  readonly name = "RangeInvalid" as const;
  readonly code = "RANGE_INVALID" as const;
  constructor(detail?: unknown) {
    super("invalid content range", detail);
  }
}

/** The registry was disposed of, and whoever asks it is too late. */
export class RegistryClosed extends RegistryError {
  readonly name = "RegistryClosed" as const;
  readonly code = "UNAVAILABLE" as const;
  constructor() {
    super("service unavailable", "the registry was closed");
  }
}

export class SizeInvalid extends RegistryError {
  readonly name = "SizeInvalid" as const;
  readonly code = "SIZE_INVALID" as const;
  constructor(detail?: unknown) {
    super("provided length did not match content length", detail);
  }
}

export class TagInvalid extends RegistryError {
  readonly name = "TagInvalid" as const;
  readonly code = "TAG_INVALID" as const;
  constructor(detail?: unknown) {
    super("manifest tag did not match URI", detail);
  }
}

/** Whoever asks did not say who they are, or lacks a right. */
export class Unauthorized extends RegistryError {
  readonly name = "Unauthorized" as const;
  readonly code = "UNAUTHORIZED" as const;
  /** How to say it, as a client understands it. */
  readonly challenge: string;
  /** Why, for the log alone: nothing of what the client sent. */
  readonly reason: string;

  /** @param needed the rights, all of which are needed; none where only an identity is */
  constructor(
    challenge: string,
    needed: readonly { readonly type: string; readonly name: string; readonly action: string }[],
    reason = "authentication required",
  ) {
    const records = needed.map(({ type, name, action }) => ({ Type: type, Class: "", Name: name, Action: action }));
    super("authentication required", records.length > 0 ? records : null);
    this.challenge = challenge;
    this.reason = reason;
  }
}

/** More than the registry takes at a time, or from one client; it may be asked again later. */
export class TooManyRequests extends RegistryError {
  readonly name = "TooManyRequests" as const;
  readonly code = "TOOMANYREQUESTS" as const;
  /** After so many seconds, at least 1; undefined where nobody knows. */
  readonly retryAfter: number | undefined;
  constructor(detail?: unknown, seconds?: number) {
    super("too many requests", detail);
    this.retryAfter = seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
  }
}

/** The storage cannot serve or take bytes now; later it may. */
export class Unavailable extends RegistryError {
  readonly name = "Unavailable" as const;
  readonly code = "UNAVAILABLE" as const;
  constructor(detail?: unknown, options?: ErrorOptions) {
    super("service unavailable", detail, options);
  }
}

export class Unknown extends RegistryError {
  readonly name = "Unknown" as const;
  readonly code = "UNKNOWN" as const;
  constructor(detail?: unknown, options?: ErrorOptions) {
    super("unknown error", detail, options);
  }
}

export class Unsupported extends RegistryError {
  readonly name = "Unsupported" as const;
  readonly code = "UNSUPPORTED" as const;
  constructor(detail?: unknown) {
    super("The operation is unsupported.", detail);
  }
}

export class UploadInvalid extends RegistryError {
  readonly name = "UploadInvalid" as const;
  readonly code = "BLOB_UPLOAD_INVALID" as const;
  constructor(detail?: unknown) {
    super("blob upload invalid", detail);
  }
}

export class UploadUnknown extends RegistryError {
  readonly name = "UploadUnknown" as const;
  readonly code = "BLOB_UPLOAD_UNKNOWN" as const;
  constructor(detail?: unknown) {
    super("blob upload unknown to registry", detail);
  }
}
