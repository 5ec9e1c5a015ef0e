import * as v from "valibot";
import { http } from "../lib/node-http.ts";
import { type Field, field, isMap, list, mapOf, pathOf } from "./fields.ts";

const value: Field<string> = field("text without line breaks and control characters, in Latin letters", ({ text }) =>
  isAccepted(() => http.validateHeaderValue("X", text)) ? text : undefined,
);

/** How long a message is: written by the server, which fails on others. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "trailer"]);

/** Header name, as written, to its values; each is one that HTTP allows, because a server fails on others. */
export const headers: Field<Record<string, string[]>> = v.pipe(
  mapOf(list(value)),
  v.rawCheck(({ dataset: { value }, addIssue }) => {
    const names = isMap(value) ? Object.keys(value) : []; // also where a value is not accepted
    for (const name of names) {
      const message = nameProblem(name);
      if (message !== undefined) addIssue({ path: pathOf(name), message });
    }
  }),
);

function nameProblem(name: string): string | undefined {
  if (!isAccepted(() => http.validateHeaderName(name))) return "under a name of letters, digits, - and _";
  return FRAMING.has(name.toLowerCase()) ? "left to the server" : undefined;
}

function isAccepted(validate: () => void): boolean {
  try {
    validate();
    return true;
  } catch {
    return false;
  }
}
