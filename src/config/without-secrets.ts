/**
 * A sentence without what it may quote by mistake: what a URL has before its host and in its query, or a key that stands
 * where its path should.
 */
export function withoutSecrets(sentence: string): string {
  return sentence
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, "…")
    .replaceAll(/:\/\/[^/\s]*@/g, "://…@")
    .replaceAll(/(:\/\/[^\s?'"]*\?)[^\s'"]+/g, "$1…");
}
