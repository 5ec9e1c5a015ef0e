/** Something a registry depends on. */
export interface Check {
  /** As in `/debug/health`. */
  readonly name: string;

  /**
   * Resolves where it is well.
   * @param signal comes when nobody waits for the answer any more
   * @throws {Error} whose message says what is wrong
   */
  look(signal: AbortSignal): Promise<void>;
}
