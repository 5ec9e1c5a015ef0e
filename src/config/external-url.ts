/**
 * Whether `host`, the value of `http.host`, is a URL with scheme and host. Every other value is ignored, also by the
 * peers, which unlike the URL class do not take `https:example.com` for one.
 */
export function isExternalUrl(host: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#]/i.test(host) && URL.canParse(host);
}
