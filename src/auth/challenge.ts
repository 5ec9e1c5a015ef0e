/** A string of a header in quotes, escaped as the peers do it: what is no plain text cannot end the header or split it. */
export function quoted(text: string): string {
  return `"${toHeaderText(text.replace(SPECIAL, escapeOf))}"`;
}

/** Quotes, backslashes, control characters, and halves of pairs, which no text in UTF-8 has. */
const SPECIAL = /["\\]|\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}/gu;

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return NAMED[character] ?? (code < 0x80 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`);
}

/** Node writes each character of a header as one byte. */
function toHeaderText(text: string): string {
  return Buffer.from(text).toString("latin1");
}
