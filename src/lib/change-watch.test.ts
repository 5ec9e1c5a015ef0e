import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChangeWatch, LONGEST_READING } from "./change-watch.ts";

describe("a reading", () => {
  it("is outdated by a change of its key while it lasts, as is every other one of that key", () => {
    const watch = new ChangeWatch();
    using one = watch.begin("a");
    using two = watch.begin("a");
    using other = watch.begin("b");
    watch.changed("a");
    assert.deepEqual([one.outdated, two.outdated, other.outdated], [true, true, false]);
  });

  it("is not outdated by a change before it, or by one after another reading ended", () => {
    const watch = new ChangeWatch();
    watch.changed("a");
    using later = watch.begin("a");
    watch.begin("a")[Symbol.dispose]();
    assert.equal(later.outdated, false);
    watch.changed("a");
    assert.equal(later.outdated, true);
  });

  it("is outdated after the longest time that it may take", () => {
    let now = 5;
    using reading = new ChangeWatch(() => now).begin("a");
    now += LONGEST_READING;
    assert.equal(reading.outdated, false);
    now += 1;
    assert.equal(reading.outdated, true);
  });
});
