import type { KeyObject } from "node:crypto";
import { decorate } from "../../lib/decorate.ts";
import { canRedirect, hasBucketKeys, type RedirectingDriver, type StorageDriver } from "../driver.ts";
import { AwsRanges, type AwsRangesOptions } from "./aws-ranges.ts";
import { signUrl } from "./cloudfront-signature.ts";

export interface CloudfrontOptions extends Omit<AwsRangesOptions, "regions" | "url" | "frequency" | "warn"> {
  /** Of the distribution. A key of the bucket is appended to it, behind a slash. */
  readonly baseurl: URL;
  /** RSA. */
  readonly key: KeyObject;
  /** Under which CloudFront knows the public half of {@link key}. */
  readonly keypairid: string;
  /** How long a URL is good. ms; 20 minutes by default */
  readonly duration?: number | undefined;
  /** Which clients go to the bucket itself: nobody by default, those in Amazon's network, or in some of its regions. */
  readonly ipfilteredby?: "none" | "aws" | "awsregion" | undefined;
  /** For `awsregion`. */
  readonly awsregion?: readonly string[] | undefined;
  /** ms between two readings of Amazon's list of its addresses; 12 hours by default, and a minute at least. */
  readonly updatefrequency?: number | undefined;
  /** Of that list. */
  readonly iprangesurl?: URL | undefined;
  /** Told what an operator should know. Silent by default. */
  readonly warn?: AwsRangesOptions["warn"];
  /** ms since 1970. */
  readonly now?: () => number;
}

const DURATION = 20 * 60_000;
const UPDATE_FREQUENCY = 12 * 3_600_000;
const IP_RANGES_URL = "https://ip-ranges.amazonaws.com/ip-ranges.json";

/**
 * Sends clients to CloudFront by signed URLs; those in Amazon's own network, as far as the options want that, to the bucket
 * itself. A driver without keys of a bucket stays as it is, with a warning.
 *
 * @see storage-layout, section 11, "cloudfront"
 */
export function redirectToCloudfront(driver: StorageDriver, options: CloudfrontOptions): StorageDriver {
  const { baseurl, key, keypairid, duration = DURATION, now = Date.now, warn = () => undefined } = options;
  if (!hasBucketKeys(driver)) {
    warn("the CloudFront middleware does not support this storage driver and does nothing", { driver: driver.name });
    return driver;
  }
  const near = openRanges(options, warn);
  const base = `${baseurl.protocol}//${baseurl.host}${baseurl.pathname.replace(/\/?$/, "/")}`;
  return decorate<StorageDriver, Pick<RedirectingDriver, "redirectUrl">>(driver, {
    redirectUrl: async (path, request) => {
      if (near?.contains(request.client)) return canRedirect(driver) ? driver.redirectUrl(path, request) : undefined;
      const url = base + driver.bucketKey(path).split("/").map(encodeURIComponent).join("/");
      return await signUrl(url, { key, keypairid, expires: now() + duration });
    },
    [Symbol.asyncDispose]: async () => {
      await using _last = driver;
      await near?.[Symbol.asyncDispose]();
    },
  });
}

function openRanges(options: CloudfrontOptions, warn: AwsRangesOptions["warn"]): AwsRanges | undefined {
  const { ipfilteredby = "none", awsregion = [], updatefrequency, iprangesurl, wait } = options;
  if (ipfilteredby === "none") return undefined;
  return new AwsRanges({
    url: iprangesurl ?? new URL(IP_RANGES_URL),
    frequency: updatefrequency ?? UPDATE_FREQUENCY,
    regions: ipfilteredby === "awsregion" ? awsregion : undefined,
    warn,
    ...(wait && { wait }),
  });
}
