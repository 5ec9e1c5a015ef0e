/** Bytes of all warnings of one answer. @see OCI distribution-spec 1.1, "Warnings" */
const LIMIT = 4096;

/** `Warning` header values: as many as fit. */
export function toWarnings(sentences: readonly string[]): string[] {
  const values: string[] = [];
  let left = LIMIT;
  for (const sentence of sentences) {
    const value = `299 - "${sentence.replaceAll(/["\\]/g, "\\$&")}"`;
    left -= value.length + 2;
    if (left < 0) break;
    values.push(value);
  }
  return values;
}
