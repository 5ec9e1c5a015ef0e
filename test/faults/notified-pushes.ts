import assert from "node:assert/strict";
import type { EventReceiver } from "../support/event-receiver.ts";
import { contentOf } from "../support/image.ts";
import type { RegistryClient } from "../support/registry-client.ts";
import type { Configuration } from "../support/registry-process.ts";
import { Seeded } from "./seeded.ts";

export function endpointsAt(...urls: readonly string[]): Configuration {
  const endpoints = urls.map((url, index) => ({ name: `e${index}`, url, backoff: "20ms", timeout: "2s" }));
  return { notifications: { endpoints } };
}

/** Pushes a small blob of its own each time. */
export class Pusher {
  readonly #random: Seeded;
  /** All that were sent, in order. */
  readonly sent: string[] = [];
  /** Those that were answered, in order. */
  readonly acknowledged: string[] = [];

  constructor(seed: number) {
    this.#random = new Seeded(seed);
  }

  async push(http: RegistryClient): Promise<void> {
    const blob = contentOf(Buffer.from(`${this.#random.whole(0, 2 ** 30)} ${this.#random.whole(0, 2 ** 30)}`), "any");
    this.sent.push(blob.descriptor.digest);
    await http.pushBlob("a/b", blob);
    this.acknowledged.push(blob.descriptor.digest);
  }
}

export function pushedOf({ events }: EventReceiver): readonly string[] {
  return events.filter(({ action }) => action === "push").map(({ target }) => String(target["digest"]));
}

/**
 * Everything that was acknowledged came, in the order it was sent, and what a crash cut off in its place or not at all.
 * @param again how many events may have been taken a second time, each right after itself
 */
export function expectAll(receiver: EventReceiver, { sent, acknowledged }: Pusher, again: number): void {
  const ids = receiver.events.map(({ id }) => id);
  const once = ids.filter((id, index) => id !== ids[index - 1]);
  assert.equal(new Set(once).size, once.length, "others came between two of the same");
  assert.ok(ids.length - once.length <= again, `${ids.length - once.length} events came again`);
  const own = new Set(sent);
  const came = pushedOf(receiver).filter((digest, index, all) => own.has(digest) && digest !== all[index - 1]);
  const arrived = new Set(came);
  assert.deepEqual(
    came,
    sent.filter((digest) => arrived.has(digest)),
  );
  assert.deepEqual(
    acknowledged.filter((digest) => !arrived.has(digest)),
    [],
  );
}
