/**
 * The thread that has the queue and sends the events: a transaction that reaches the disk takes milliseconds in which nothing
 * else runs here.
 */
import { parentPort, workerData } from "node:worker_threads";
import { waited } from "../lib/waited.ts";
import { Delivery } from "./delivery.ts";
import { noFigures } from "./endpoint-figures.ts";
import { CONTENT_TYPE } from "./event.ts";
import { EventDispatch } from "./event-dispatch.ts";
import { postTo } from "./post.ts";
import { openQueueFiles } from "./queue-files.ts";
import type { FromQueue, QueueOptions, ToQueue } from "./queue-messages.ts";

/** How often others on the folder are looked at, and the figures are told. ms */
const LOOK = 1000;

const tell = (message: FromQueue): void => parentPort?.postMessage(message);
const log = (level: "info" | "warn" | "error", message: string): void => tell({ kind: "log", level, message });

const { folder, limit, endpoints, disabled, proxies } = workerData as QueueOptions;
const { store, lock } = openQueueFiles(folder, limit, Date.now, (message) => log("error", message));
const all = endpoints.map(({ name, url, headers, timeout, threshold, backoff }) => {
  const figures = noFigures(name);
  const post = postTo({ url, contentType: CONTENT_TYPE, headers, timeout, proxies });
  const warn = (message: string): void => log("warn", message);
  return {
    figures,
    delivery: new Delivery({ name, threshold, backoff }, { store, post, figures, wait: waited, warn }),
  };
});
const dispatch = new EventDispatch({ store, lock, endpoints: all, disabled, log, wait: waited });

let told = "";
const tellFigures = (): void => {
  const figures = all.map((endpoint) => endpoint.figures);
  const text = JSON.stringify(figures);
  if (text !== told) tell({ kind: "figures", figures });
  told = text;
};

let trouble = "";
const look = (): void => {
  try {
    dispatch.look();
    trouble = "";
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason !== trouble) log("error", `the queue of notifications cannot be looked at: ${reason}`);
    trouble = reason;
  }
  tellFigures();
};

look();
const timer = setInterval(look, LOOK);

parentPort?.on("message", (message: ToQueue) => {
  if (message.kind === "add") add(message);
  else void close(message.patience);
});

function add({ batch, events }: Extract<ToQueue, { kind: "add" }>): void {
  try {
    dispatch.add(events);
    tell({ kind: "added", batch });
  } catch (error) {
    tell({ kind: "refused", batch, reason: error instanceof Error ? error.message : String(error) });
  }
}

async function close(patience: number): Promise<void> {
  clearInterval(timer);
  await dispatch.close(patience);
  tellFigures();
  tell({ kind: "closed" });
  parentPort?.close();
}
