import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHtpasswd } from "./htpasswd-users.ts";

const hash = (cost: string, version = "2y"): string => `$${version}$${cost}$${"a".repeat(53)}`;

test("entries are read as the peers do: blank lines and comments passed over, later ones win, the first colon parts", () => {
  const text = `\n# a comment: no entry\n  alice:${hash("05")}  \r\nbob:${hash("10", "2b")}\nalice:${hash("06")}\n`;
  const { hashes, warnings } = parseHtpasswd(text);
  assert.deepEqual(
    [...hashes],
    [
      ["alice", hash("06")],
      ["bob", hash("10", "2b")],
    ],
  );
  assert.deepEqual(warnings, []);
  assert.deepEqual([...parseHtpasswd(`:${hash("05")}`).hashes.keys()], [""]);
});

test("a line without a colon makes the file invalid, and is not quoted", () => {
  assert.throws(() => parseHtpasswd(`a:${hash("05")}\n\nsecret\n`), {
    message: "htpasswd: invalid entry at line 3: it has no colon",
  });
});

test("bcrypt DoS: what is not bcrypt, or takes seconds, never matches, which is said by line", () => {
  const { hashes, warnings } = parseHtpasswd(
    `a:$apr1$x$y\nb:plain\nc:${hash("15")}\nd:${hash("32")}\ne:\nf:${hash("14")}`,
  );
  assert.deepEqual([...hashes.keys()], ["f"]);
  assert.deepEqual(
    warnings.map((warning) => warning.slice(0, 24)),
    [
      "line 1 never matches: it",
      "line 2 never matches: it",
      "line 3 never matches: bc",
      "line 4 never matches: it",
      "line 5 never matches: it",
    ],
  );
});

test("a later entry that never matches takes an earlier one away", () => {
  assert.equal(parseHtpasswd(`a:${hash("05")}\na:locked\n`).hashes.size, 0);
});

test("the decoy costs as much as the costliest entry", () => {
  assert.match(parseHtpasswd("").decoy, /^\$2b\$05\$[./A-Za-z0-9]{53}$/);
  assert.match(parseHtpasswd(`a:${hash("05")}\nb:${hash("12")}`).decoy, /^\$2b\$12\$/);
});
