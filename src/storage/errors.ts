/** What a driver throws. The text names the driver; paths stay in logs and never reach a client. */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly driver: string;

  constructor(driver: string, message: string, options?: ErrorOptions) {
    super(`${driver}: ${message}`, options);
    this.driver = driver;
  }
}

export class PathNotFound extends StorageError {
  override readonly name = "PathNotFound";
  readonly path: string;
  constructor(driver: string, path: string) {
    super(driver, `Path not found: ${path}`);
    this.path = path;
  }
}

export class InvalidPath extends StorageError {
  override readonly name = "InvalidPath";
  constructor(driver: string, path: string) {
    super(driver, `invalid path: ${path}`);
  }
}

export class InvalidOffset extends StorageError {
  override readonly name = "InvalidOffset";
  constructor(driver: string, path: string, offset: number) {
    super(driver, `invalid offset: ${offset} for path: ${path}`);
  }
}

/** A call on a reader that was disposed of. */
export class ReaderClosed extends StorageError {
  override readonly name = "ReaderClosed";
  constructor(driver: string) {
    super(driver, "the reader is closed");
  }
}

/** A call on a writer that was committed, cancelled or closed. */
export class WriterClosed extends StorageError {
  override readonly name = "WriterClosed";
  constructor(driver: string, state: "already committed" | "already cancelled" | "already closed") {
    super(driver, state);
  }
}

/** Somebody else wrote to, moved or removed the object while this writer was at it. */
export class WriteConflict extends StorageError {
  override readonly name = "WriteConflict";
  constructor(driver: string, path: string) {
    super(driver, `changed by another writer: ${path}`);
  }
}

/** No room (or no inodes, or no quota) left for what was to be written. */
export class StorageFull extends StorageError {
  override readonly name = "StorageFull";
  constructor(driver: string, options?: ErrorOptions) {
    super(driver, "no space left on the storage", options);
  }
}

/**
 * The store gave no answer, or failed itself, whatever it was asked: after all tries. A driver throws it where that may be
 * so of every path; a word about one path, such as a refusal, is another error.
 */
export class StorageUnreachable extends StorageError {
  override readonly name = "StorageUnreachable";
}

/** The store was not asked, because it does not answer anybody for the moment. */
export class StorageDown extends StorageError {
  override readonly name = "StorageDown";
  constructor(driver: string) {
    super(driver, "not asked, because it does not answer for the moment");
  }
}

/** The store was not asked, because as many as may wait for it do so already. */
export class StorageBusy extends StorageError {
  override readonly name = "StorageBusy";
  constructor(driver: string) {
    super(driver, "not asked, because too many wait for it already");
  }
}
