/** The value of one key of a controller's section cannot be used. The message is a sentence and quotes nothing secret. */
export class UnusableValue extends Error {
  override readonly name = "UnusableValue";
  /** Within the section of the controller. */
  readonly key: string;

  constructor(key: string, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.key = key;
  }
}

/** @throws {UnusableValue} which names the file, where `open` fails */
export function openFile<T>(key: string, path: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnusableValue(key, reason.includes(path) ? reason : `${path}: ${reason}`, { cause });
  }
}
