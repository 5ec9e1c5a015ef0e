import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { Unavailable } from "../oci/errors.ts";
import { StorageBusy } from "../storage/errors.ts";
import type { OfSupervisor, OfWorker } from "./calls.ts";
import { Desk } from "./desk.ts";
import { Link, type Port } from "./link.ts";
import { SharedTally } from "./shared-tally.ts";
import { SupervisedPeers } from "./supervised-peers.ts";

/** One end of a channel between two that are in this process. */
class End extends EventEmitter implements Port {
  connected = true;
  other: End | undefined;

  send(message: object, callback: (error: Error | null) => void): boolean {
    const text = JSON.stringify(message);
    setImmediate(() => this.other?.emit("message", JSON.parse(text)));
    callback(null);
    return true;
  }

  disconnect(): void {
    for (const end of [this, this.other]) {
      if (end) end.connected = false;
      end?.emit("disconnect");
    }
  }
}

/** A worker at `desk`, and what ends its supervisor. */
function workerAt(desk: Desk): {
  readonly peers: SupervisedPeers;
  readonly lose: () => void;
  readonly die: () => void;
} {
  const [near, far] = [new End(), new End()];
  [near.other, far.other] = [far, near];
  const seat = desk.seat((id) => supervisor.tell("stop", id));
  const supervisor = new Link<OfWorker, OfSupervisor>(far, {
    lock: (lock) => seat.lock(lock),
    turn: (turn) => seat.turn(turn),
    release: (id) => seat.release(id),
    announce: async () => undefined,
    publish: ({ key, hash }) => void desk.hashes.set(key, hash),
    find: (key) => desk.hashes.get(key),
    tally: () => undefined,
    serving: () => undefined,
    agree: async () => undefined,
  });
  const link: Link<OfSupervisor, OfWorker> = new Link<OfSupervisor, OfWorker>(near, {
    begin: () => undefined,
    stop: (id) => peers.stop(id),
    forget: (deletion) => peers.forget(deletion),
    elsewhere: () => undefined,
    report: async () => undefined,
    reload: async () => undefined,
    ping: () => undefined,
    renew: () => undefined,
    drain: () => undefined,
  });
  const peers = new SupervisedPeers(link, new SharedTally(() => undefined), "secret");
  return { peers, lose: () => near.disconnect(), die: () => seat[Symbol.dispose]() };
}

async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("work under a lock of one worker is over before that of another begins", async () => {
  const desk = new Desk();
  const [one, other] = [workerAt(desk).peers, workerAt(desk).peers];
  const steps: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    steps.push(`${name} begins`);
    await turns();
    steps.push(`${name} ends`);
  };
  await Promise.all([one.locks.exclusive("a", work("one")), other.locks.exclusive("a", work("other"))]);
  assert.deepEqual(steps, ["one begins", "one ends", "other begins", "other ends"]);
});

test("a lock is given back where the work under it fails", async () => {
  const { peers } = workerAt(new Desk());
  await assert.rejects(
    peers.locks.exclusive("a", () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await peers.locks.exclusive("a", async () => 7), 7);
});

test("an upload is taken over from another worker, which is told to stop", async () => {
  const desk = new Desk();
  const [one, other] = [workerAt(desk).peers, workerAt(desk).peers];
  const stop = Promise.withResolvers<void>();
  const first = await one.uploads.takeTurn("a/1", stop.resolve);
  const second = other.uploads.takeTurn("a/1", () => undefined);
  await stop.promise;
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
});

test("what belongs to one worker goes to another when it dies", async () => {
  const desk = new Desk();
  const [one, other] = [workerAt(desk), workerAt(desk)];
  const begun: string[] = [];
  const begin = (name: string) => (): AsyncDisposable => {
    begun.push(name);
    return { [Symbol.asyncDispose]: async () => void begun.push(`${name} ended`) };
  };
  await using _first = one.peers.whileOwner("purging", begin("one"));
  await turns();
  const second = other.peers.whileOwner("purging", begin("other"));
  await turns();
  assert.deepEqual(begun, ["one"]);
  one.die();
  await turns();
  assert.deepEqual(begun, ["one", "other"]);
  await second[Symbol.asyncDispose]();
  assert.deepEqual(begun, ["one", "other", "other ended"]);
});

test("what a worker waits for is not begun once it is no longer wanted", async () => {
  const desk = new Desk();
  const [one, other] = [workerAt(desk), workerAt(desk)];
  let begun = 0;
  const begin = (): AsyncDisposable => {
    begun += 1;
    return { [Symbol.asyncDispose]: async () => undefined };
  };
  const first = one.peers.whileOwner("purging", begin);
  await turns();
  const second = other.peers.whileOwner("purging", begin);
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await turns();
  assert.equal(begun, 1);
});

test("without a supervisor nothing is locked, deleted or waited for, and hashes are unknown", async () => {
  const desk = new Desk();
  const { peers, lose } = workerAt(desk);
  const blocked = workerAt(desk);
  const held = blocked.peers.locks.exclusive("a", () => new Promise<void>(() => undefined));
  void held;
  await turns();
  const waiting = assert.rejects(
    peers.locks.exclusive("a", async () => undefined),
    Unavailable,
  );
  await turns();
  lose();
  await waiting;
  await assert.rejects(
    peers.locks.shared("b", async () => undefined),
    Unavailable,
  );
  await assert.rejects(
    peers.uploads.takeTurn("a/1", () => undefined),
    Unavailable,
  );
  await assert.rejects(peers.deletions.announce({ kind: "blob", repository: "a", digest: "d" }), Unavailable);
  assert.equal(await peers.uploads.find("a/1"), undefined);
});

test("where too many wait for locks of several workers, clients hear what they would of one", async () => {
  const desk = new Desk();
  const { peers } = workerAt(desk);
  const { promise: held, resolve: end } = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 4001 }, () => peers.locks.exclusive("a", () => held));
  await turns();
  await assert.rejects(
    peers.locks.exclusive("a", () => held),
    StorageBusy,
  );
  end();
  await Promise.all(waiting);
});

test("a refusal of the supervisor is told", async () => {
  const [near, far] = [new End(), new End()];
  [near.other, far.other] = [far, near];
  const link = new Link<{ try: () => void }, Record<string, never>>(near, {});
  void new Link<Record<string, never>, { try: () => void }>(far, {
    try: () => {
      throw new Error("not now");
    },
  });
  await assert.rejects(link.ask("try", undefined as never), /not now/);
});
