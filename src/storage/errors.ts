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
