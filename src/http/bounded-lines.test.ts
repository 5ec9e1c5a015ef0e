import assert from "node:assert/strict";
import { test } from "node:test";
import { type Api, type ApiOptions, startApi } from "../../test/support/api.ts";
import { SillyController } from "../auth/silly.ts";
import { MemoryDriver } from "../storage/memory.ts";
import { BoundedLines } from "./bounded-lines.ts";
import type { RequestLine } from "./request-line.ts";

const SILLY = new SillyController({ realm: "https://auth.example.com/token", service: "s" });
const LET_IN = { headers: { Authorization: "x" } };

interface Place extends AsyncDisposable {
  readonly api: Api;
  readonly lines: RequestLine[];
  now: number;
}

async function open(options: ApiOptions = {}): Promise<Place> {
  const lines: RequestLine[] = [];
  const bounded = new BoundedLines(() => place.now);
  const api = await startApi(new MemoryDriver(), {
    access: SILLY,
    observers: [{ answered: (exchange) => lines.push(...bounded.of(exchange)) }],
    ...options,
  });
  const place: Place = { api, lines, now: 0, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
  return place;
}

async function sendMany(api: Api, method: string, path: string, init = {}): Promise<void> {
  for (let i = 0; i < 25; i += 1) await api.send(method, path, init);
}

for (const [what, method, path] of [
  ["who is not let in", "GET", "/v2/a/tags/list"],
  ["paths that cannot be read", "GET", "/v2/%00/tags/list"],
  ["paths that are redirected", "GET", "//v2/"],
  ["the root", "GET", "/"],
  ["OPTIONS", "OPTIONS", "/v2/"],
] as const) {
  test(`a flood of ${what} leaves twenty lines a second, and the next one says how many there were`, async () => {
    await using place = await open();
    await sendMany(place.api, method, path);
    assert.equal(place.lines.length, 20);
    assert.ok(place.lines.every(({ fields }) => !("unsaid" in fields)));
    place.now = 1000;
    await sendMany(place.api, method, path);
    assert.deepEqual(
      place.lines.slice(20).map(({ fields }) => fields["unsaid"]),
      [5, ...Array.from({ length: 19 }, () => undefined)],
    );
  });
}

test("a flood over a limit leaves twenty lines a second, whoever it is", async () => {
  const rate = { rate: 0.001, burst: 1 };
  await using place = await open({ limits: { uploads: 0, address: { rate: 0, burst: 0 }, user: rate } });
  await sendMany(place.api, "GET", "/v2/", LET_IN);
  assert.deepEqual(
    place.lines.map(({ fields }) => fields["http.response.status"]),
    [200, ...Array.from({ length: 20 }, () => 429)],
  );
});

test("whoever is let in has a line a request, and hides nobody's", async () => {
  await using place = await open();
  await sendMany(place.api, "GET", "/v2/a/manifests/none", LET_IN);
  await sendMany(place.api, "GET", "/v2/", LET_IN);
  assert.equal(place.lines.length, 50);
  await place.api.send("GET", "/v2/");
  assert.equal(place.lines.length, 51);
});

test("a registry that asks nobody who they are has a line a request", async () => {
  await using place = await open({ access: undefined });
  await sendMany(place.api, "GET", "/v2/a/manifests/none");
  assert.equal(place.lines.length, 25);
});
