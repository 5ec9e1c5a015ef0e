/**
 * The number of the turn of the event loop: it goes up right before the sockets are looked at, so what has one number came with
 * one look at them or goes on from it. 20 ns.
 */
export function turnNow(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}
