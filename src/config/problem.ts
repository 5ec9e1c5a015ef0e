import type { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { find, type Mapping, nearest, Scalar, Sequence, type Tree } from "./tree.ts";

/** The first of the schema's issues as a sentence. What was found is not quoted where it may be a secret. */
export function toConfigError(root: Mapping, issues: readonly z.core.$ZodIssue[]): ConfigError {
  const [issue] = issues;
  if (issue === undefined) return new ConfigError(root.where, "is no configuration");
  const { path } = issue;
  const key = showPath(path);
  return new ConfigError(nearest(root, path).where, sentence(key, show(find(root, path), key), accepted(issue)));
}

function sentence(key: string, found: string, accepted: string): string {
  if (key === "log.level" || key === "loglevel") return `invalid loglevel ${found.replaceAll('"', "")} ${LEVELS}`;
  if (key === "log.formatter") return `unsupported logging formatter: ${found}, must be ${accepted}`;
  return `${key} is ${found}, but must be ${accepted}`;
}

const LEVELS = "Must be one of [error, warn, info, debug]";

function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .slice(1);
}

function accepted(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type") return issue.message;
  return issue.expected === "array" ? "a list" : "a map";
}

const SECRET = /pass|secret|key|token|credential|headers|username|\.(?:remote)?ur[il]\b/i;
const LONGEST = 60;

function show(found: Tree | undefined, key: string): string {
  if (found === undefined) return "missing";
  if (found instanceof Sequence) return "a list";
  if (!(found instanceof Scalar)) return "a map";
  if (SECRET.test(key) && !key.startsWith("validation.")) return "something else (not shown)";
  return JSON.stringify(found.text.length > LONGEST ? `${found.text.slice(0, LONGEST)}…` : found.text);
}
