import assert from "node:assert/strict";
import type { RequestListener, ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { ipRanges, type PrefixAndRegion, startIpRanges } from "../../../test/support/ip-ranges.ts";
import { AwsRanges, type AwsRangesOptions } from "./aws-ranges.ts";

const HOUR = 3_600_000;
const EAST: PrefixAndRegion = ["198.51.100.0/24", "us-east-1"];
const WEST: PrefixAndRegion = ["203.0.113.64/26", "eu-west-1"];
const LONG: PrefixAndRegion = ["2001:db8:a::/48", "us-east-1"];

/** The ranges of a list, whose next reading comes when `next` is called. */
async function follow(url: URL, options: Partial<AwsRangesOptions> = {}) {
  const said: string[] = [];
  const pauses: number[] = [];
  let paused = Promise.withResolvers<void>();
  let go = Promise.withResolvers<boolean>();
  const ranges = new AwsRanges({
    ...{ url, frequency: 12 * HOUR, regions: undefined },
    warn: (message, { reason }) => said.push(`${message}: ${reason}`),
    wait: async (ms, signal) => {
      pauses.push(ms);
      paused.resolve();
      signal.addEventListener("abort", () => go.resolve(false));
      return await go.promise;
    },
    ...options,
  });
  const read = async (): Promise<void> => {
    await paused.promise;
    paused = Promise.withResolvers();
  };
  const next = async (): Promise<void> => {
    const due = go;
    go = Promise.withResolvers();
    due.resolve(true);
    await read();
  };
  const has = (...addresses: readonly (string | undefined)[]): readonly boolean[] =>
    addresses.map((address) => ranges.contains(address));
  await read();
  return { ranges, said, pauses, next, has, [Symbol.asyncDispose]: () => ranges[Symbol.asyncDispose]() };
}

describe("Amazon's addresses", () => {
  it("are those of its list, of both families", async () => {
    await using list = await startIpRanges([EAST, WEST, LONG]);
    await using followed = await follow(list.url);
    const { has } = followed;
    assert.deepEqual(has("198.51.100.0", "198.51.100.255", "203.0.113.64", "203.0.113.127"), [true, true, true, true]);
    assert.deepEqual(has("198.51.101.0", "203.0.113.63", "203.0.113.128", "192.0.2.1"), [false, false, false, false]);
    assert.deepEqual(has("2001:db8:a::1", "2001:db8:a:ffff::", "2001:db8:b::1"), [true, true, false]);
    assert.deepEqual(has("::ffff:198.51.100.7"), [true]);
    assert.deepEqual(has(undefined, "", "a", "198.51.100", "fe80::1%eth0", "198.51.100.7:80"), Array(6).fill(false));
  });

  it("are only those of the regions that count", async () => {
    await using list = await startIpRanges([EAST, WEST, LONG]);
    await using followed = await follow(list.url, { regions: ["EU-West-1"] });
    assert.deepEqual(followed.has("198.51.100.7", "203.0.113.70", "2001:db8:a::1"), [false, true, false]);
  });

  it("are read again as often as told, but not without a pause", async () => {
    await using list = await startIpRanges([EAST]);
    for (const [frequency, pause] of [
      [12 * HOUR, 12 * HOUR],
      [1, 60_000],
    ] as const) {
      await using followed = await follow(list.url, { frequency });
      list.answer((_request, response) => response.end(ipRanges([WEST])));
      assert.deepEqual(followed.has("198.51.100.7", "203.0.113.70"), [true, false]);
      await followed.next();
      assert.deepEqual(followed.has("198.51.100.7", "203.0.113.70"), [false, true]);
      assert.deepEqual(followed.pauses, [pause, pause]);
      list.answer((_request, response) => response.end(ipRanges([EAST])));
    }
  });

  const wrong: readonly (readonly [title: string, answer: RequestListener, reason: RegExp])[] = [
    ["fails", (_, response) => response.writeHead(503).end("later"), /status 503/],
    ["is no JSON", (_, response) => response.end("<html>"), /SyntaxError/],
    [
      "has another form",
      (_, response) => response.end('{"prefixes": [], "ipv6_prefixes": {}}'),
      /no list ipv6_prefixes/,
    ],
    ["is null", (_, response) => response.end("null"), /no list prefixes/],
    ["has no end", (_, response) => pour(response), /more than 16777216 bytes/],
    ["breaks off", (_, response) => void response.write('{"prefixes": ', () => response.destroy()), /terminated/],
    ["resets the connection", (request) => void request.socket.destroy(), /fetch failed/],
  ];
  for (const [title, answer, reason] of wrong) {
    it(`stay what they were where the list ${title}, with a warning and another try before long`, async () => {
      await using list = await startIpRanges([EAST]);
      await using followed = await follow(list.url);
      list.answer(answer);
      await followed.next();
      assert.deepEqual(followed.has("198.51.100.7"), [true]);
      assert.match(followed.said.join(), /^the list of Amazon's addresses cannot be read, the one before counts: /);
      assert.match(followed.said.join(), reason);
      assert.equal(followed.pauses.at(-1), 5 * 60_000);
    });
  }

  it("are none before the first list", async () => {
    await using list = await startIpRanges([EAST]);
    list.answer((_request, response) => response.writeHead(404).end());
    await using followed = await follow(list.url, { frequency: 2 * 60_000 });
    assert.deepEqual(followed.has("198.51.100.7"), [false]);
    assert.deepEqual(followed.pauses, [2 * 60_000]);
    list.answer((_request, response) => response.end(ipRanges([EAST])));
    await followed.next();
    assert.deepEqual(followed.has("198.51.100.7"), [true]);
  });

  it("are told by the entries that can be read", async () => {
    await using list = await startIpRanges([]);
    const entries = ["198.51.100.0/24", "198.51.100.0/33", "x/8", "1.2.3/8", 5, null].map((ip_prefix) => ({
      ip_prefix,
    }));
    const prefixes = [...entries, null, "198.51.100.0/24", []];
    list.answer((_request, response) =>
      response.end(JSON.stringify({ prefixes, ipv6_prefixes: [{ ipv6_prefix: "::/129" }] })),
    );
    await using followed = await follow(list.url);
    assert.deepEqual(followed.has("198.51.100.7", "1.2.3.4", "::1"), [true, false, false]);
    assert.deepEqual(followed.said, []);
  });

  it("are not waited for when all ends", async () => {
    await using list = await startIpRanges([]);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    list.answer(() => resolve());
    const said: string[] = [];
    const options = {
      url: list.url,
      frequency: HOUR,
      regions: undefined,
      warn: (message: string) => said.push(message),
    };
    const ranges = new AwsRanges(options);
    await asked;
    await ranges[Symbol.asyncDispose]();
    assert.deepEqual(said, []);
  });
});

/** Sends until the other end has had enough. */
function pour(response: ServerResponse): void {
  const block = Buffer.alloc(1024 * 1024, " ");
  const more = (): void => {
    while (!response.destroyed && response.write(block));
    response.once("drain", more);
  };
  more();
}
