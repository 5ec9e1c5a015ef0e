import type { BaseIssue } from "valibot";
import type { Finding } from "./finding.ts";
import { isSpecifier } from "./specifier.ts";
import { find, type Mapping, nearest, Scalar, Sequence, type Tree } from "./tree.ts";

/** An issue of the schema as a sentence. What was found is not quoted where it may be a secret. */
export function toFinding(root: Mapping, issue: BaseIssue<unknown>): Finding {
  const path = (issue.path ?? []).map(({ key }) => key as PropertyKey);
  const key = showPath(path);
  const { where } = nearest(root, path);
  const about = key === "storage" ? key : `value of ${key}`; // a missing section is the rules' affair too
  return { about, where, sentence: sentence(key, show(find(root, path), key), issue.message), fatal: true };
}

function sentence(key: string, found: string, accepted: string): string {
  if (key === "log.level" || key === "loglevel") return `invalid loglevel ${found.replaceAll('"', "")} ${LEVELS}`;
  if (key === "log.formatter") return `unsupported logging formatter: ${found}, must be ${accepted}`;
  return `${key} is ${found}, but must be ${accepted}`;
}

const LEVELS = "Must be one of [error, warn, info, debug]";

function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${showStep(String(step))}`))
    .join("")
    .slice(1);
}

/** The specifier of a module has dots of its own. */
function showStep(step: string): string {
  return isSpecifier(step) ? JSON.stringify(step) : step;
}

const SECRET = /pass|secret|key|token|credential|headers|username|\.(?:remote)?ur[il]\b/i;
const LONGEST = 60;

function show(found: Tree | undefined, key: string): string {
  if (found === undefined) return "missing";
  if (found instanceof Sequence) return "a list";
  if (!(found instanceof Scalar)) return "a map";
  if ((SECRET.test(key) && !key.startsWith("validation.")) || holdsSecret(key, found.text))
    return "something else (not shown)";
  return JSON.stringify(found.text.length > LONGEST ? `${found.text.slice(0, LONGEST)}…` : found.text);
}

/** A password or a query where a URL should be, however wrong it is; a key where its path should be. */
function holdsSecret(key: string, text: string): boolean {
  return /url$/i.test(key) ? /[@?]/.test(text) : /:\/\/[^/]*@|PRIVATE KEY/.test(text);
}
