import { parseAddress } from "./address.ts";
import { type Field, field } from "./fields.ts";

/** `host:port`, `[IPv6]:port` or `:port`, as it was written. */
export function socketAddress(accepted: string): Field<string> {
  return field(accepted, ({ text }) => (isAddress(text) ? text : undefined));
}

function isAddress(text: string): boolean {
  try {
    return parseAddress(text).port > 0;
  } catch {
    return false;
  }
}
