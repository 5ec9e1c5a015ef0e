/**
 * The thread that has the queue and sends the events: a transaction that reaches the disk takes milliseconds in which nothing
 * else runs here.
 */
import { parentPort, workerData } from "node:worker_threads";
import { waited } from "../lib/waited.ts";
import { Delivery } from "./delivery.ts";
import { type EndpointFigures, noFigures } from "./endpoint-figures.ts";
import { CONTENT_TYPE } from "./event.ts";
import { EventDispatch, type Recipient, type Recipients } from "./event-dispatch.ts";
import { postTo } from "./post.ts";
import { openQueueFiles } from "./queue-files.ts";
import type { FromQueue, QueueEndpoint, QueueEndpoints, QueueOptions, ToQueue } from "./queue-messages.ts";

/** How often others on the folder are looked at, and the figures are told. ms */
const LOOK = 1000;

const tell = (message: FromQueue): void => parentPort?.postMessage(message);
const log = (level: "info" | "warn" | "error", message: string): void => tell({ kind: "log", level, message });

const { folder, limit, proxies, ...first } = workerData as QueueOptions;
const { store, lock } = openQueueFiles(folder, limit, Date.now, (message) => log("error", message));
/** Of all endpoints there ever were, so that no count goes back. */
const figures = new Map<string, EndpointFigures>();
let known: readonly KnownRecipient[] = [];

interface KnownRecipient extends Recipient {
  /** All that is configured of it. */
  readonly settings: string;
}

function toRecipients({ endpoints, disabled }: QueueEndpoints): Recipients {
  known = endpoints.map(toRecipient);
  return { endpoints: known, disabled };
}

/** The one there is, where nothing about it has changed. */
function toRecipient(endpoint: QueueEndpoint): KnownRecipient {
  const settings = JSON.stringify(endpoint);
  return known.find((one) => one.settings === settings) ?? { settings, ...openRecipient(endpoint) };
}

function openRecipient({ name, url, headers, timeout, threshold, backoff }: QueueEndpoint): Recipient {
  const counts = figures.get(name) ?? noFigures(name);
  figures.set(name, counts);
  const post = postTo({ url, contentType: CONTENT_TYPE, headers, timeout, proxies });
  const warn = (message: string): void => log("warn", message);
  const around = { store, post, figures: counts, wait: waited, warn };
  return { figures: counts, delivery: new Delivery({ name, threshold, backoff }, around) };
}

const dispatch = new EventDispatch({ store, lock, ...toRecipients(first), log, wait: waited });

async function become(endpoints: QueueEndpoints): Promise<void> {
  await dispatch.become(toRecipients(endpoints));
  for (const [name, counts] of figures) if (!known.some((one) => one.figures.name === name)) counts.pending = 0;
  look();
}

let told = "";
const tellFigures = (): void => {
  const all = [...figures.values()];
  const text = JSON.stringify(all);
  if (text !== told) tell({ kind: "figures", figures: all });
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
  else if (message.kind === "become") void become(message.endpoints);
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
