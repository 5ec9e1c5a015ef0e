import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "../oci/digest.ts";
import { parseRepositoryName } from "../oci/names.ts";
import { newTableState, ReferrersMemory, type TableState } from "./referrers-memory.ts";

const NAMES = ["a", "b", "c"].map((name) => parseRepositoryName(name));
const MANY = 200_000; // three of them are more than the memory holds

const GROWTHS: Readonly<Record<string, (state: TableState) => void>> = {
  "saw more revisions": ({ seen }) => {
    for (let i = 0; i < MANY; i++) seen.add(`${i}` as Digest);
  },
  "have more folders without a manifest": (state) => {
    state.unread = Array.from<Digest>({ length: MANY });
  },
};

for (const [what, grow] of Object.entries(GROWTHS)) {
  test(`tables that ${what} push out the one that was asked for longest ago`, () => {
    const memory = new ReferrersMemory();
    const states = NAMES.map(() => newTableState([]));
    for (const [i, name] of NAMES.entries()) memory.set(name, states[i] as TableState);
    for (const [i, name] of NAMES.entries()) {
      grow(states[i] as TableState);
      memory.set(name, states[i] as TableState);
    }
    assert.deepEqual(
      NAMES.map((name) => memory.get(name) !== undefined), // states in full would be a long report
      [false, true, true],
    );
  });
}
