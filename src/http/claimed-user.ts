/** Characters of a name, which anybody can make up. */
const LONGEST = 256;

/** Whom an `Authorization` names, which nobody has verified: a user, or the subject of a token. "" where it names nobody. */
export function claimedUser(authorization: string | undefined): string {
  const [, scheme = "", value = ""] = /^(Basic|Bearer) +([A-Za-z0-9+/=._-]+)$/i.exec(authorization ?? "") ?? [];
  const name = scheme.toLowerCase() === "basic" ? basicUser(value) : subjectOf(value);
  return name.slice(0, LONGEST);
}

function basicUser(encoded: string): string {
  const [user = ""] = Buffer.from(encoded, "base64").toString().split(":", 1);
  return user;
}

/** @see RFC 7519, section 4.1.2 */
function subjectOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".", 2)[1] ?? "", "base64url").toString());
    const subject = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : "";
    return typeof subject === "string" ? subject : "";
  } catch {
    return "";
  }
}
