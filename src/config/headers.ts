import { validateHeaderName, validateHeaderValue } from "node:http";
import { z } from "zod";
import { type Field, field } from "./fields.ts";

const value: Field<string> = field("text without line breaks and control characters, in Latin letters", ({ text }) =>
  isAccepted(() => validateHeaderValue("X", text)) ? text : undefined,
);

/** Header name, as written, to its values; each is one that HTTP allows, because a server fails on others. */
export const headers: z.ZodType<Record<string, string[]>> = z
  .record(z.string(), z.array(value))
  .superRefine((values, context) => {
    for (const name of Object.keys(values)) {
      if (!isAccepted(() => validateHeaderName(name))) {
        context.addIssue({ code: "custom", path: [name], message: "under a name of letters, digits, - and _" });
      }
    }
  })
  .default({});

function isAccepted(validate: () => void): boolean {
  try {
    validate();
    return true;
  } catch {
    return false;
  }
}
