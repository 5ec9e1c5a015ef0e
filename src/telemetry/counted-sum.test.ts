import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointCounts } from "./counted.ts";
import { CountedSum } from "./counted-sum.ts";

function endpoint(name: string, events: number, statuses: EndpointCounts["statuses"] = {}): EndpointCounts {
  return { name, pending: 1, events, successes: 0, failures: 0, errors: 0, dropped: 0, statuses };
}

test("counts of a part that ended are kept and added to those of the next", () => {
  const sum = new CountedSum();
  let requests = 1;
  const first = sum.add({ cache: () => ({ requests, hits: 1, misses: 0, errors: 0 }) });
  requests = 5;
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  requests = 100;
  assert.deepEqual(sum.cache, { requests: 5, hits: 1, misses: 0, errors: 0 });
  sum.add({ cache: () => ({ requests: 2, hits: 1, misses: 1, errors: 0 }) });
  assert.deepEqual(sum.cache, { requests: 7, hits: 2, misses: 1, errors: 0 });
});

test("endpoints are added by their names, and nothing waits for one that ended", () => {
  const sum = new CountedSum();
  sum.add({ endpoints: () => [endpoint("a", 1, { "200 OK": 1 }), endpoint("b", 2)] })[Symbol.dispose]();
  sum.add({ endpoints: () => [endpoint("a", 3, { "200 OK": 2, "500 No": 1 })] });
  const [a, b] = sum.endpoints;
  assert.deepEqual([a?.events, a?.pending, a?.statuses], [4, 1, { "200 OK": 3, "500 No": 1 }]);
  assert.deepEqual([b?.events, b?.pending], [2, 0]);
});
