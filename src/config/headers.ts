import { z } from "zod";
import { http } from "../lib/node-http.ts";
import { type Field, field } from "./fields.ts";
import { Scalar } from "./tree.ts";

const value: Field<string> = field("text without line breaks and control characters, in Latin letters", ({ text }) =>
  isAccepted(() => http.validateHeaderValue("X", text)) ? text : undefined,
);

/** How long a message is: written by the server, which fails on others. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "trailer"]);

/** Header name, as written, to its values; each is one that HTTP allows, because a server fails on others. */
export const headers: z.ZodType<Record<string, string[]>> = z
  .record(z.string(), z.array(value))
  .superRefine(
    (values, context) => {
      for (const name of Object.keys(values)) {
        const message = nameProblem(name);
        if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
      }
    },
    { when: ({ value }) => isMap(value) }, // also where a value is not accepted
  )
  .default({});

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Scalar);
}

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
