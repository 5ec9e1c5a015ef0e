import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { type Api, startApi } from "../support/api.ts";
import { noise, pushBlob } from "../support/api-content.ts";
import { inForm } from "./form.ts";
import { ServedRequests } from "./served-requests.ts";
import { until } from "./until.ts";
import { requestText, Wire } from "./wire.ts";

/** Their answers are more than the kernel's buffers hold. */
const REQUESTS = inForm(6_000, 60_000);
const PART = 2048;
const blob = noise(3 * PART);
/** At once: those of one read from the socket, 64 KiB, which come before reading can stop, and 64 that may wait. */
const MOST = Math.ceil((64 * 1024) / askFor("sha256:", 0).length) + 64;

test("a client that pipelines and reads nothing is not read from either, and keeps nobody else waiting", async (t) => {
  using served = new ServedRequests();
  await using place = await openPlace();
  await settled(place.api, served);
  assert.ok(served.total < REQUESTS, `${served.total} requests were taken in`);
  await expectInOrder(place.wire, 0, REQUESTS);
  assert.ok(await place.sent);
  t.diagnostic(`${served.most} unanswered at once`);
  assert.ok(served.most <= MOST, `${served.most} unanswered at once`);
  assert.equal(served.unanswered, 0);
});

test("a client that reads now and then what it pipelined does not pile up requests", async (t) => {
  using served = new ServedRequests();
  await using place = await openPlace();
  const step = REQUESTS / 20;
  for (let from = 0; from < REQUESTS / 2; from += step) {
    await settled(place.api, served);
    await expectInOrder(place.wire, from, from + step);
  }
  t.diagnostic(`${served.most} unanswered at once`);
  assert.ok(served.most <= MOST, `${served.most} unanswered at once`);
  place.wire[Symbol.dispose]();
  await until("the server is idle", () => served.unanswered === 0);
});

interface Place extends AsyncDisposable {
  readonly api: Api;
  readonly wire: Wire;
  readonly sent: Promise<boolean>;
}

/** A connection on which all requests are on their way. */
async function openPlace(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApi(new MemoryDriver()));
  const digest = await pushBlob(api, "a", blob);
  const wire = stack.use(await Wire.open(api.port));
  const sent = wire.send(Array.from({ length: REQUESTS }, (_, i) => askFor(digest, i)).join(""));
  const end = stack.move();
  return { api, wire, sent, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

function askFor(digest: string, index: number): string {
  const start = index % PART;
  return requestText("GET", `/v2/a/blobs/${digest}`, `Range: bytes=${start}-${start + PART - 1}`);
}

/** Waits until the server answers others and nothing more on the connection. */
async function settled(api: Api, served: ServedRequests): Promise<void> {
  const others = 5;
  for (let before = -1; served.total - before !== others; ) {
    before = served.total;
    for (let i = 0; i < others; i += 1) assert.equal((await api.send("GET", "/v2/")).status, 200);
  }
}

async function expectInOrder(wire: Wire, from: number, end: number): Promise<void> {
  for (let i = from; i < end; i += 1) {
    const { status, headers } = await wire.answer();
    assert.equal(status, 206);
    assert.ok(headers.get("content-range")?.startsWith(`bytes ${i % PART}-`));
  }
}
