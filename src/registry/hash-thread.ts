/** What runs in the thread that hashes: one order after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { type Order, type Report, SLOT_SIZE } from "./hash-messages.ts";
import { createResumableHash, type ResumableHash, resumeHash } from "./hash-state.ts";

const slots = workerData as SharedArrayBuffer;
const hashes = new Map<number, ResumableHash>();
let turn = Promise.resolve();

parentPort?.on("message", (order: Order) => {
  turn = turn.then(() => follow(order));
});

/** What is thrown ends the thread, and with it all hashes. */
async function follow(order: Order): Promise<void> {
  switch (order.kind) {
    case "start":
      return await start(order);
    case "update":
      hashes.get(order.hash)?.update(new Uint8Array(slots, order.slot * SLOT_SIZE, order.length));
      return report({ kind: "free", slot: order.slot });
    case "rest":
      return rest(order.hash);
    case "end":
      parentPort?.close();
  }
}

async function start({ hash: number, algorithm, state }: Extract<Order, { kind: "start" }>): Promise<void> {
  const hash = await (state ? resumeHash(algorithm, state) : createResumableHash(algorithm));
  if (hash) hashes.set(number, hash);
}

function rest(number: number): void {
  const hash = hashes.get(number);
  hashes.delete(number);
  report({ kind: "rested", hash: number, saved: hash && { hex: hash.digest(), state: hash.save() } });
}

function report(message: Report): void {
  parentPort?.postMessage(message);
}
