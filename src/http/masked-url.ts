/** What must not stand in a log: whoever reads it could take over an upload, or log in. */
const SECRET = /^_state$|auth|token|passw|secret|signature|credential/i;

/** A URL or the path and query of one, with the values of such parameters and a password before the host left out. */
export function maskedUrl(url: string): string {
  const mark = url.indexOf("?");
  const path = withoutPassword(mark < 0 ? url : url.slice(0, mark));
  return mark < 0
    ? path
    : `${path}?${url
        .slice(mark + 1)
        .split("&")
        .map(masked)
        .join("&")}`;
}

function withoutPassword(path: string): string {
  return path.includes("@") ? path.replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/@]*@/i, "$1//…@") : path;
}

function masked(part: string): string {
  const [key = ""] = part.split("=", 1);
  return isSecret(key) ? `${key}=…` : part;
}

/** However it is encoded. */
function isSecret(key: string): boolean {
  if (!/[%+]/.test(key)) return SECRET.test(key);
  return [...new URLSearchParams(key).keys()].some((name) => SECRET.test(name));
}
