export interface Addressed {
  /** Without a name and a password: `fetch` takes none that has them, and quotes them where it says so. */
  readonly url: URL;
  /** The value of the header that stands for them. */
  readonly authorization: string | undefined;
}

/**
 * Takes the name and the password out of a URL, to be sent as Go's client sends them.
 * @throws {TypeError} which does not quote the text, where it is no URL
 */
export function splitCredentials(text: string | URL): Addressed {
  const url = new URL(text);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return { url, authorization: undefined };
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`);
  return { url, authorization: `Basic ${pair.toString("base64")}` };
}

/** As it is, where it is not encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
