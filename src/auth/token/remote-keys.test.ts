import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { publicJwk } from "../../../test/support/tokens.ts";
import { Unavailable } from "../../oci/errors.ts";
import { KeySources } from "./key-sources.ts";
import { RemoteKeys } from "./remote-keys.ts";

const setOf = (kid: string): string =>
  JSON.stringify({ keys: [publicJwk(generateKeyPairSync("ed25519").publicKey, { kid })] });

/** A URL that answers what it is told, a clock, and time that passes when it is told. */
class Place implements AsyncDisposable {
  answer: () => Response | Promise<Response> = () => new Response(setOf("one"));
  now = 0;
  asked = 0;
  readonly told: string[] = [];
  #tick = Promise.withResolvers<boolean>();
  #keys: RemoteKeys | undefined;

  async open(): Promise<RemoteKeys> {
    this.#keys = await RemoteKeys.open({
      url: "https://keys.test/jwks",
      warn: (message, { reason }) => this.told.push(`${message}: ${reason}`),
      now: () => this.now,
      fetch: async () => {
        this.asked += 1;
        return await this.answer();
      },
      wait: (_ms, signal) => {
        signal.addEventListener("abort", () => this.#tick.resolve(false));
        return this.#tick.promise;
      },
    });
    return this.#keys;
  }

  /** Five minutes pass. */
  async period(): Promise<void> {
    this.now += 300_000;
    const { resolve } = this.#tick;
    this.#tick = Promise.withResolvers();
    resolve(true);
    for (let i = 0; i < 20; i++) await Promise.resolve(); // the loop begins to ask
    await this.#keys?.refresh();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keys?.[Symbol.asyncDispose]();
  }
}

describe("keys behind a URL", () => {
  test("are read at the start and every five minutes, and stay the same object while they are the same", async () => {
    await using place = new Place();
    const text = setOf("one");
    place.answer = () => new Response(text);
    const keys = await place.open();
    const first = keys.current;
    assert.ok(first?.byId.has("one"));
    await place.period();
    assert.equal(place.asked, 2);
    assert.equal(keys.current, first);
    place.answer = () => new Response(setOf("two"));
    await place.period();
    assert.ok(keys.current?.byId.has("two") && !keys.current.byId.has("one"));
  });

  test("are asked for again on demand, but not twice within ten seconds, and once for all who wait", async () => {
    await using place = new Place();
    const keys = await place.open();
    await Promise.all([keys.refresh(), keys.refresh()]);
    assert.equal(place.asked, 1);
    place.now = 10_000;
    const gate = Promise.withResolvers<Response>();
    place.answer = () => gate.promise;
    const waiting = [keys.refresh(), keys.refresh(), keys.refresh()];
    gate.resolve(new Response(setOf("two")));
    await Promise.all(waiting);
    assert.equal(place.asked, 2);
    assert.ok(keys.current?.byId.has("two"));
  });

  for (const [what, answer] of [
    ["is down", () => Promise.reject(new TypeError("fetch failed"))],
    ["answers an error", () => new Response(setOf("bad"), { status: 500 })],
    ["answers nonsense", () => new Response("<html>")],
    ["answers too much", () => new Response(" ".repeat(1024 * 1024 + 1))],
    ["answers an empty set", () => new Response('{"keys":[]}')],
  ] as const) {
    test(`the ones before count while the URL ${what}, which is told once`, async () => {
      await using place = new Place();
      const keys = await place.open();
      const before = keys.current;
      place.answer = answer;
      await place.period();
      await place.period();
      assert.equal(place.asked, 3);
      assert.equal(keys.current, before);
      assert.equal(place.told.length, 1);
      assert.match(place.told[0] ?? "", /the ones before count/);
      place.answer = () => new Response(setOf("new"));
      await place.period();
      assert.ok(keys.current?.byId.has("new"));
    });
  }

  test("are asked for with the name and the password of the URL, which nobody is told", async () => {
    const [asked, told]: [unknown[], string[]] = [[], []];
    await using keys = await RemoteKeys.open({
      url: "https://me:pass%20word@keys.test/jwks?t=secret",
      warn: (message, fields) => told.push(message + JSON.stringify(fields)),
      now: () => 0,
      fetch: async (url, init) => {
        asked.push(String(url), new Request(url, init).headers.get("authorization"));
        return new Response("", { status: 503 });
      },
    });
    assert.equal(keys.current, undefined);
    assert.deepEqual(asked, ["https://keys.test/jwks?t=secret", `Basic ${btoa("me:pass word")}`]);
    assert.equal(told.length, 1);
    assert.doesNotMatch(told.join(), /pass|secret/);
  });

  test("that never came are no reason to say that a token is wrong", async () => {
    await using place = new Place();
    place.answer = () => new Response("", { status: 503 });
    const remote = await place.open();
    assert.equal(remote.current, undefined);
    const sources = new KeySources({ files: [], remote });
    assert.equal(sources.current().byId.size, 0);
    await assert.rejects(sources.refreshed(), Unavailable);
    place.now = 10_000;
    place.answer = () => new Response(setOf("late"));
    assert.ok((await sources.refreshed()).byId.has("late"));
  });
});
