/**
 * JSON as the peers' library prints it, where a digest depends on each byte: `<`, `>`, `&` and the two line separators of
 * Unicode are escaped, and of the control characters three alone have short names.
 *
 * @see manifests, section 5.4; observed on 2.8.2, which Go 1.19 compiled
 */

/** @param indent of each level; one line without it */
export function toGoJson(value: unknown, indent?: string): string {
  const text = escapeForGo(JSON.stringify(value, wellFormed, indent === undefined ? 0 : 1));
  return indent === undefined ? text : text.replace(/^ +/gm, (blanks) => indent.repeat(blanks.length));
}

/** A value's text, without white space between its tokens: numbers, escapes and the order of keys stay as they are. */
export function compactForGo(json: string): string {
  const tokens: string[] = [];
  let from = 0;
  for (let at = 0; at < json.length; ) {
    if (json[at] === '"') at = endOfString(json, at);
    else if (!isBlank(json, at)) at++;
    else {
      tokens.push(json.slice(from, at));
      while (isBlank(json, at)) at++;
      from = at;
    }
  }
  return spellOut(`${tokens.join("")}${json.slice(from)}`);
}

/** Outside of its texts, valid JSON has no other characters up to the blank than white space. */
function isBlank(json: string, at: number): boolean {
  return json.charCodeAt(at) <= 0x20;
}

/**
 * The members of an object, each value as its text. Of duplicate keys the last counts.
 * @param compact valid JSON without white space between tokens
 */
export function membersOf(compact: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (let at = 1; at < compact.length - 1; ) {
    const colon = endOfString(compact, at);
    const end = endOfValue(compact, colon + 1);
    members.set(JSON.parse(compact.slice(at, colon)) as string, compact.slice(colon + 1, end));
    at = end + 1;
  }
  return members;
}

/** Index behind the closing quote. */
function endOfString(json: string, quote: number): number {
  let at = quote + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Index of the comma or brace behind a value. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const token = json[at] ?? "";
    if (depth === 0 && (token === "," || token === "}")) return at;
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    at = token === '"' ? endOfString(json, at) : at + 1;
  }
  return at;
}

/** Backslashes that are content stand aside for a moment, as what no text of JSON holds: the others begin an escape. */
function escapeForGo(json: string): string {
  if (!/\\[bf]/.test(json)) return spellOut(json);
  const apart = json.replace(/\\\\/g, "\0").replace(/\\b/g, "\\u0008").replace(/\\f/g, "\\u000c");
  return spellOut(apart).replace(/\0/g, "\\\\");
}

/** A pass for each, because a function called for each of a million characters takes a second. */
function spellOut(json: string): string {
  return json
    .replace(/</g, "\\u003c")
    .replace(/>/g, "\\u003e")
    .replace(/&/g, "\\u0026")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/** Half a surrogate pair is what U+FFFD stands for. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
