import { X509Certificate } from "node:crypto";

/** How long before its end a certificate is warned of, unless it is valid for less than ten times that. ms */
const AHEAD = 7 * 24 * 3_600_000;

/**
 * What clients find wrong with the dates of a certificate, or soon will.
 * @param pem a chain, of which the first counts
 * @param now ms since 1970
 * @returns undefined where nothing is
 */
export function faultOf(pem: string, now: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const [start, end] = [validFromDate.getTime(), validToDate.getTime()];
  if (now < start) return `is not valid before ${validFromDate.toISOString()}, and clients refuse it until then`;
  if (now >= end) return `was valid until ${validToDate.toISOString()}, and clients refuse it now`;
  if (now >= end - Math.min(AHEAD, (end - start) / 10)) return `is valid until ${validToDate.toISOString()} only`;
  return undefined;
}
