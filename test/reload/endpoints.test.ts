/** Endpoints of notifications that come, change and go while the registry serves. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../faults/until.ts";
import { type ChangingRegistry, startChanging } from "../support/changing-registry.ts";
import { type EventReceiver, startReceiver } from "../support/event-receiver.ts";
import { contentOf } from "../support/image.ts";
import type { Configuration } from "../support/registry-process.ts";

function notified(...endpoints: readonly Configuration[]): Configuration {
  return { notifications: { endpoints } };
}

function endpoint(name: string, { url }: EventReceiver, over: Configuration = {}): Configuration {
  return { name, url, backoff: "50ms", ...over };
}

let pushed = 0;

async function push({ http }: ChangingRegistry): Promise<string> {
  pushed += 1;
  const blob = contentOf(Buffer.from(`blob ${pushed}`), "any");
  await http.pushBlob("a", blob);
  return blob.descriptor.digest;
}

function digestsOf({ events }: EventReceiver): readonly unknown[] {
  return events.map(({ target }) => target["digest"]);
}

describe("endpoints of notifications", () => {
  test("come and go, each with the events of its time", async () => {
    await using one = await startReceiver();
    await using two = await startReceiver();
    await using place = await startChanging(notified(endpoint("one", one)));
    const first = await push(place);
    await one.has(({ events }) => events.length === 1);
    assert.match(await place.change(notified(endpoint("one", one), endpoint("two", two))), /configuring endpoint two/);
    const second = await push(place);
    await two.has(({ events }) => events.length === 1);
    await place.change(notified(endpoint("two", two)));
    const third = await push(place);
    await two.has(({ events }) => events.length === 2);
    await place.change({});
    await push(place);
    await place.change(notified(endpoint("one", one), endpoint("two", two)));
    const last = await push(place);
    await one.has(({ events }) => events.length === 3);
    await two.has(({ events }) => events.length === 3);
    assert.deepEqual(digestsOf(one), [first, second, last]);
    assert.deepEqual(digestsOf(two), [second, third, last]);
  });

  test("lose nothing, and get nothing out of order, while all about them changes under load", async () => {
    await using receiver = await startReceiver();
    receiver.react((count) => (count % 5 === 0 ? 503 : 200));
    await using place = await startChanging(notified(endpoint("one", receiver)));
    const [sent, stop] = [[] as string[], new AbortController()];
    const loaded = (async () => {
      while (!stop.signal.aborted) sent.push(await push(place));
    })();
    for (const timeout of ["2s", "3s", "4s", "5s", "6s"]) {
      await place.change(notified(endpoint("one", receiver, { timeout, threshold: 2 })));
    }
    stop.abort();
    await loaded;
    await receiver.has(({ events }) => events.length >= sent.length);
    assert.deepEqual(digestsOf(receiver), sent);
  });

  test("that are gone leave nothing behind, and one that is down keeps no other waiting", async () => {
    await using down = await startReceiver();
    await using up = await startReceiver();
    down.react(() => 500);
    await using place = await startChanging(notified(endpoint("down", down), endpoint("up", up)));
    const first = await push(place);
    await place.change(notified(endpoint("up", up, { timeout: "3s" })));
    await until("what waited for it was dropped", () =>
      /1 events waited for endpoint down, which is no longer configured/.test(place.registry.log),
    );
    const second = await push(place);
    await up.has(({ events }) => events.length === 2);
    assert.deepEqual(digestsOf(up), [first, second]);
  });

  for (const [what, next] of [
    ["is gone", {}],
    ["is gone, and another one disabled,", notified({ name: "off", url: "http://127.0.0.1:1/", disabled: true })],
  ] as const) {
    test(`leave nothing behind where the last one ${what}`, async () => {
      await using receiver = await startReceiver();
      receiver.react(() => 500);
      await using place = await startChanging(notified(endpoint("one", receiver)));
      await push(place);
      await place.change(next);
      await until("what waited for it was dropped", () =>
        /1 events waited for endpoint one, which is no longer configured/.test(place.registry.log),
      );
    });
  }
});
