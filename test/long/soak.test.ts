/** Minutes of everything at once: what a registry takes must not grow with what it has done. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { WITHOUT_FIGURES } from "../faults/process-figures.ts";
import { type EventReceiver, type Reaction, type ReceivedEvent, startReceiver } from "../support/event-receiver.ts";
import type { Configuration } from "../support/registry-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { expectFlat, type Figures, figuresAtRest, printed } from "./soak-figures.ts";
import { Lane } from "./soak-lane.ts";
import { passwords, type SoakRegistry, startSoaked, tokens } from "./soak-registry.ts";

const LANES = 6;
/** Of which some warm the server up: until the sixth, what it remembers of manifests and small blobs grows by 2 MiB, and then no more. */
const ROUNDS = 16;
const WARM_UP = 6;
/** Things that each lane does in a round. Some three requests each. */
const WORKS = 150;

for (const [controller, login] of Object.entries({ passwords, tokens })) {
  describe(`minutes of mixed traffic with ${controller}`, { skip: WITHOUT_FIGURES }, () => {
    test("leave memory, files, sockets and threads as they were, and lose no push and no event", async () => {
      await using folder = await temporaryFolder("soak");
      await using users = await login(folder);
      await using failing = await startReceiver();
      await using slow = await startReceiver();
      failing.react((count) => FAILURES[count % 40] ?? 200);
      slow.react((count) => (count % 500 === 0 ? silence : { status: 200, after: 2 }));
      const receivers = [failing, slow];
      await using registry = await startSoaked(folder, users.auth, receivers.map(toEndpoint));
      const { port } = registry.process;
      const lanes = Array.from({ length: LANES }, (_, number) => new Lane(number, port, users.credentials));
      const figures = await soak(registry, lanes, receivers);
      console.log(`${controller}: ${await readBack(lanes)} images read back`);
      for (const receiver of receivers) await expectTold(receiver, lanes);
      await expectWell(registry, lanes);
      assert.equal(await registry.process.stop(), 0);
      expectAudited(await readFile(registry.auditFile, "utf8"), lanes);
      expectFlat(figures.slice(WARM_UP));
    });
  });
}

const silence: Reaction = () => undefined;
const hangUp: Reaction = (request) => request.socket.destroy();
const FAILURES: Readonly<Record<number, Reaction>> = { 7: 500, 8: 503, 9: hangUp, 21: 429 };

function toEndpoint({ url }: EventReceiver, index: number): Configuration {
  return { name: `e${index}`, url, threshold: 2, backoff: "20ms", timeout: "2s" };
}

/** @returns figures after each round, when everything was told */
async function soak(
  { process, metrics }: SoakRegistry,
  lanes: readonly Lane[],
  receivers: readonly EventReceiver[],
): Promise<readonly Figures[]> {
  const { sockets } = await figuresAtRest(process.pid, metrics);
  const figures: Figures[] = [];
  let time = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const began = performance.now();
    await Promise.all(lanes.map((lane) => lane.work(WORKS)));
    time += performance.now() - began;
    const told = sum(lanes.map((lane) => lane.told.length));
    for (const receiver of receivers) await receiver.has(({ events }) => events.length >= told);
    const now = await figuresAtRest(process.pid, metrics, sockets);
    figures.push(now);
    console.log(`round ${round} of ${ROUNDS}: ${printed(now)}`);
  }
  const requests = sum(lanes.map((lane) => lane.requests));
  console.log(`${requests} requests in ${Math.round(time / 1000)} s, ${Math.round((requests / time) * 1000)} a second`);
  return figures;
}

async function readBack(lanes: readonly Lane[]): Promise<number> {
  return sum(await Promise.all(lanes.map((lane) => lane.readBack())));
}

/** Each lane's, in its order; one that is taken twice comes twice in a row. */
async function expectTold(receiver: EventReceiver, lanes: readonly Lane[]): Promise<void> {
  const isSame = (event: ReceivedEvent, other: ReceivedEvent | undefined): boolean => event.id === other?.id;
  const events = receiver.events.filter((event, index, all) => !isSame(event, all[index - 1]));
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length, "others came between two of the same");
  const told = events.map(({ action, target }) =>
    [action, target["repository"], target["digest"], target["tag"] ?? ""].join(" "),
  );
  for (const { repositories, told: expected } of lanes) {
    const own = told.filter((line) => repositories.includes(line.split(" ")[1] ?? ""));
    assert.deepEqual(own.slice(0, expected.length), expected);
  }
  console.log(`${events.length} events told in ${receiver.requests.length} attempts`);
}

async function expectWell({ metrics }: SoakRegistry, lanes: readonly Lane[]): Promise<void> {
  const text = await (await fetch(metrics)).text();
  assert.doesNotMatch(text, /^registry_http_requests_total\{code="5/m);
  assert.doesNotMatch(text, /^wharfinger_notifications_dropped_total\{.*\} [1-9]/m);
  const counts = [...text.matchAll(/^registry_http_requests_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  assert.ok(sum(counts) >= sum(lanes.map((lane) => lane.requests)));
}

/** A line for each push, and one for each of those who were wrong. */
function expectAudited(text: string, lanes: readonly Lane[]): void {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const pushes = lines.filter(({ action, status, reference }) => action === "push" && status === 201 && reference);
  const told = lanes.flatMap((lane) => lane.told).filter((line) => /^push .* v\d+$/.test(line));
  assert.equal(pushes.length, told.length);
  assert.ok(pushes.every(({ user }) => user === "alice"));
  const refused = lines.filter(({ allowed }) => allowed === false);
  assert.equal(refused.length, sum(lanes.map((lane) => lane.refused)));
  assert.ok(refused.every(({ user, claimed }) => user === "" && claimed === "alice"));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
