/**
 * The grammar reads what strangers send, so none of its patterns may take more than linear time. The patterns are caught
 * while they are used, run by a small backtracking matcher that counts its steps, and the steps for an input compared with
 * those for one twice as long.
 */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import fc from "fast-check";
import { isDigest } from "./digest.ts";
import { isTag, parseRepositoryName, parseStoredName } from "./names.ts";

const ALPHABET = ["a", "A", "0", ".", "_", "__", "-", "/", ":", "=", "+", "!"] as const;

describe("the patterns of the grammar", () => {
  const patterns = patternsUsed();

  it("are those of names, stored names, tags and digests", () => {
    assert.equal(patterns.length, 5);
  });

  for (const pattern of patterns) {
    it(`take linear time: ${pattern.source.slice(0, 60)}`, () => {
      const part = fc.array(fc.constantFrom(...ALPHABET), { maxLength: 4 }).map((chars) => chars.join(""));
      fc.assert(
        fc.property(part, part, part, (head, pump, tail) => {
          assert.ok(growth(pattern, head, pump, tail) < 2.5);
        }),
        { numRuns: 300 },
      );
    });

    it(`are counted as they match: ${pattern.source.slice(0, 60)}`, () => {
      const text = fc.array(fc.constantFrom(...ALPHABET), { maxLength: 12 }).map((chars) => chars.join(""));
      fc.assert(
        fc.property(text, (input) => {
          assert.equal(run(pattern, input).matches, pattern.test(input));
        }),
        { numRuns: 500 },
      );
    });
  }

  it("would be found out if they took quadratic time", () => {
    assert.ok(growth(/^[a-z]*[a-z]*$/, "", "a", "!") > 3);
  });
});

/** How many times more steps an input takes that is twice as long; 1 where neither takes many. */
function growth(pattern: RegExp, head: string, pump: string, tail: string): number {
  const [short, long] = [60, 120].map((times) => run(pattern, head + pump.repeat(times) + tail).steps);
  assert.ok(short !== undefined && long !== undefined);
  return (long + 100) / (short + 100);
}

function patternsUsed(): RegExp[] {
  const spy = mock.method(RegExp.prototype, "test");
  try {
    parseStoredName("library/alpine");
    attempt(() => parseRepositoryName("Library"));
    isTag("latest");
    isDigest(`sha256:${"a".repeat(64)}`);
    isDigest("md5:a");
    return [...new Set(spy.mock.calls.map((call) => call.this as RegExp))];
  } finally {
    spy.mock.restore();
  }
}

function attempt(action: () => unknown): void {
  assert.throws(action);
}

interface Run {
  readonly text: string;
  steps: number;
}

type Matcher = (run: Run, at: number, then: (at: number) => boolean) => boolean;

function run(pattern: RegExp, text: string): { readonly matches: boolean; readonly steps: number } {
  const state: Run = { text, steps: 0 };
  const matches = new PatternParser(pattern.source).parse()(state, 0, () => true);
  return { matches, steps: state.steps };
}

/** Anchored patterns of characters, classes, groups that capture nothing, alternatives and greedy repetition. */
class PatternParser {
  readonly #tokens: string[];

  constructor(source: string) {
    this.#tokens = source.match(/\[(?:[^\]\\]|\\.)+\]|\\.|\(\?:|\{\d+,\d+\}|./g) ?? [];
  }

  parse(): Matcher {
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    return (state, at, then) => branches.some((branch) => branch(state, at, then));
  }

  #sequence(): Matcher {
    let matcher: Matcher = (_state, at, then) => then(at);
    while (this.#tokens.length > 0 && this.#tokens[0] !== "|" && this.#tokens[0] !== ")") {
      const [before, next] = [matcher, this.#repeated()];
      matcher = (state, at, then) => before(state, at, (middle) => next(state, middle, then));
    }
    return matcher;
  }

  #repeated(): Matcher {
    const atom = this.#atom();
    if (this.#take("*")) return repeat(atom, 0, Number.POSITIVE_INFINITY);
    if (this.#take("+")) return repeat(atom, 1, Number.POSITIVE_INFINITY);
    if (this.#take("?")) return repeat(atom, 0, 1);
    const bounds = /^\{(\d+),(\d+)\}$/.exec(this.#tokens[0] ?? "");
    if (!bounds) return atom;
    this.#tokens.shift();
    return repeat(atom, Number(bounds[1]), Number(bounds[2]));
  }

  #atom(): Matcher {
    const token = this.#tokens.shift() ?? "";
    if (token === "^") return (_state, at, then) => at === 0 && then(at);
    if (token === "$") return (state, at, then) => at === state.text.length && then(at);
    if (token !== "(?:") return character(token);
    const group = this.parse();
    assert.ok(this.#take(")"));
    return group;
  }

  #take(token: string): boolean {
    if (this.#tokens[0] !== token) return false;
    this.#tokens.shift();
    return true;
  }
}

function character(token: string): Matcher {
  const one = new RegExp(`^${token}$`);
  return (state, at, then) => {
    state.steps += 1;
    const char = state.text[at];
    return char !== undefined && one.test(char) && then(at + 1);
  };
}

function repeat(matcher: Matcher, least: number, most: number): Matcher {
  const from =
    (count: number): Matcher =>
    (state, at, then) =>
      (count < most && matcher(state, at, (next) => next !== at && from(count + 1)(state, next, then))) ||
      (count >= least && then(at));
  return from(0);
}
