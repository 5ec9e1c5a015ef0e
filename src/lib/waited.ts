/** Longest wait of one timer. ms */
const TIMER_LIMIT = 2 ** 31 - 1;

/**
 * Waits `time` ms, however long, without keeping the process alive.
 * @returns false where `signal` came first
 */
export async function waited(time: number, signal: AbortSignal): Promise<boolean> {
  for (let left = time; left > 0 && !signal.aborted; left -= TIMER_LIMIT) {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(left, TIMER_LIMIT)).unref();
      signal.addEventListener("abort", end, { once: true });
    });
  }
  return !signal.aborted;
}
