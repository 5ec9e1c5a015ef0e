/** What is thrown where a deadline passes. */
class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed";
}

/**
 * Leaves what takes longer than `ms` to itself.
 * @throws {Error} where it takes longer, and whatever `work` does in time
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeadlinePassed(`no answer within ${ms} ms`)), ms);
  work.catch(() => undefined); // a failure that comes later is nobody's
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
