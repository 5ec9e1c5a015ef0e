import { type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";

export interface CloudfrontSignature {
  /** RSA. */
  readonly key: KeyObject;
  readonly keypairid: string;
  /** ms since 1970; CloudFront counts whole seconds */
  readonly expires: number;
}

/**
 * Signs a URL with a canned policy: good for everybody, for any method, until it expires. SHA-1 is what CloudFront has.
 *
 *     {"Statement":[{"Resource":"<url>","Condition":{"DateLessThan":{"AWS:EpochTime":<seconds>}}}]}
 *
 * @param url without a query
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
 */
export async function signUrl(url: string, { key, keypairid, expires }: CloudfrontSignature): Promise<URL> {
  const seconds = Math.floor(expires / 1000);
  const policy = { Statement: [{ Resource: url, Condition: { DateLessThan: { "AWS:EpochTime": seconds } } }] };
  const signature = await signBytes("RSA-SHA1", Buffer.from(JSON.stringify(policy)), key);
  return new URL(
    `${url}?Expires=${seconds}&Signature=${toUrlText(signature)}&Key-Pair-Id=${encodeURIComponent(keypairid)}`,
  );
}

/** In the thread pool: a signature takes a good part of a millisecond. */
const signBytes: (algorithm: string, bytes: Uint8Array, key: KeyObject) => Promise<Buffer> = promisify(sign);

/** Base64 with CloudFront's own replacements, which are not those of base64url. */
function toUrlText(signature: Buffer): string {
  return signature.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
}
