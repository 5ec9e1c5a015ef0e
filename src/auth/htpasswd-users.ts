/** The file that Apache's `htpasswd` writes: a line `user:hash` for each user. */

export interface HtpasswdUsers {
  /** Those whose entries can match at all: bcrypt of a bearable cost. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Nobody's, compared with where there is no such user. It costs as much as the costliest of the others. */
  readonly decoy: string;
  /** Sentences for the log: which lines never match. */
  readonly warnings: readonly string[];
}

/** Above it a comparison takes two seconds and more. */
const HIGHEST_COST = 14;

const BCRYPT = /^\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** Bytes of a password that bcrypt looks at. */
export const PASSWORD_LENGTH = 72;

/**
 * @throws {Error} which names the line and quotes nothing
 * @see auth, section 3
 */
export function parseHtpasswd(text: string): HtpasswdUsers {
  const hashes = new Map<string, string>();
  const warnings: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const entry = parseLine(line.trim(), index + 1);
    if (!entry) continue;
    const problem = problemOf(entry.hash);
    if (problem) warnings.push(`line ${index + 1} never matches: ${problem}`);
    if (problem) hashes.delete(entry.user);
    else hashes.set(entry.user, entry.hash);
  }
  return { hashes, decoy: decoyFor(hashes.values()), warnings };
}

function parseLine(line: string, number: number): { readonly user: string; readonly hash: string } | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  const colon = line.indexOf(":");
  if (colon < 0) throw new Error(`htpasswd: invalid entry at line ${number}: it has no colon`);
  return { user: line.slice(0, colon), hash: line.slice(colon + 1) };
}

function problemOf(hash: string): string | undefined {
  const [, cost] = BCRYPT.exec(hash) ?? [];
  if (cost === undefined) return "its hash is not bcrypt's, make it with htpasswd -B";
  if (Number(cost) <= HIGHEST_COST) return undefined;
  return `bcrypt of cost ${Number(cost)} takes seconds at each login, use at most ${HIGHEST_COST}`;
}

/** A hash of nothing that anybody could send. */
function decoyFor(hashes: Iterable<string>): string {
  const costs = [...hashes].map((hash) => Number(hash.slice(4, 6)));
  const cost = Math.max(LEAST_COST, ...new Set(costs));
  return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(22)}${"u".repeat(31)}`;
}

const LEAST_COST = 5;
