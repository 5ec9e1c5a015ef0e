/** URLs that we send something to. */

const MASK = "***";

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/**
 * For people, and for whoever else reads it: without credentials, query and fragment, and of the path the first step only,
 * because the rest is often what lets somebody in, as with `https://hooks.slack.com/services/***`.
 */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (!url?.host) return MASK;
  const [, first = "", ...others] = url.pathname.split("/");
  const isLong = others.some((step) => step !== "");
  const hasCredentials = url.username !== "" || url.password !== "";
  if (!isLong && !hasCredentials && !/[?#]/.test(text)) return text;
  const path = isLong ? `/${first}/${MASK}` : url.pathname;
  return `${url.protocol}//${hasCredentials ? `${MASK}@` : ""}${url.host}${path}${url.search ? `?${MASK}` : ""}`;
}
