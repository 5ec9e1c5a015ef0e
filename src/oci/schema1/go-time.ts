const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** What the peers print where a document states no time. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * A time as the peers print it after reading it: nanoseconds without zeros at their end, `Z` for no offset.
 * @returns undefined where it is no time
 * @see RFC 3339, section 5.6; observed on 2.8.2
 */
export function toGoTime(text: string): string | undefined {
  const [, time, digits = "", offset] = RFC3339.exec(text) ?? [];
  if (time === undefined || offset === undefined || !isCalendar(time)) return undefined;
  const fraction = digits.slice(0, 9).replace(/0+$/, "");
  return `${time}${fraction === "" ? "" : `.${fraction}`}${/^[+-]00:00$/.test(offset) ? "Z" : offset}`;
}

/** Whether there is such a day and such a second. */
function isCalendar(time: string): boolean {
  const date = new Date(`${time}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(time);
}
