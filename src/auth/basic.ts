/** Credentials of HTTP's Basic scheme. */
export interface BasicCredentials {
  readonly user: string;
  /** As the client sent it, in whatever encoding. */
  readonly password: Buffer;
}

/**
 * @returns undefined for another scheme, and for what is no credentials
 * @see RFC 7617
 */
export function parseBasic(authorization: string): BasicCredentials | undefined {
  const [, encoded = ""] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  if (encoded === "" || encoded.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  const colon = bytes.indexOf(":");
  return colon < 0 ? undefined : { user: bytes.toString("utf8", 0, colon), password: bytes.subarray(colon + 1) };
}
