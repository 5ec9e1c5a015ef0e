/** A string of a header in quotes, escaped as the peers do it. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
