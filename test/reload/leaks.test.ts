/** What many changes of the configuration leave behind: nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { bcrypt } from "hash-wasm";
import { inForm, MIB } from "../faults/form.ts";
import { descriptorsOf, residentOf, WITHOUT_FIGURES } from "../faults/process-figures.ts";
import { until } from "../faults/until.ts";
import { startChanging } from "../support/changing-registry.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { contentOf, noise } from "../support/image.ts";
import type { Configuration } from "../support/registry-process.ts";

const RELOADS = inForm(6, 200);

/** MiB: what lives is a third of it, and an app that were not let go some hundreds of KiB. */
const HEAP = 96;

test(`${RELOADS} changes leave no thread, file or connection, and no memory`, {
  skip: WITHOUT_FIGURES,
}, async (t) => {
  await using receiver = await startReceiver();
  const withLogin = (url: string | URL, init: RequestInit = {}): Promise<Response> =>
    fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), Authorization: LOGIN } });
  await using place = await startChanging(
    {},
    { send: withLogin, env: { NODE_OPTIONS: `--max-old-space-size=${HEAP}` } },
  );
  const { registry, folder, http } = place;
  const hash = await bcrypt({ password: "x", salt: randomBytes(16), costFactor: 4, outputType: "encoded" });
  await writeFile(folder.join("users"), `alice:${hash}\n`);
  const all: Configuration = {
    auth: { htpasswd: { realm: "here", path: folder.join("users") } },
    notifications: { endpoints: [{ name: "one", url: receiver.url }] },
    log: { hooks: [{ type: "mail", levels: ["panic"], options: MAIL }] },
    health: { storagedriver: { enabled: true } },
    wharfinger: { audit: { file: folder.join("audit") } },
  };
  const use = async (number: number): Promise<void> => http.pushBlob("a", contentOf(noise(1000, number), "any"));
  const turn = async (number: number): Promise<void> => {
    assert.match(await place.change(all), / changed"/);
    await use(2 * number);
    assert.match(await place.change({}), / changed"/);
    await use(2 * number + 1);
  };
  await turn(0);
  const [threads, descriptors] = await settledFigures(registry.pid);
  let resident = 0;
  for (let number = 1; number <= RELOADS / 2; number += 1) {
    await turn(number);
    if (number === Math.ceil(RELOADS / 6)) resident = residentOf(registry.pid); // the heap is as full as it gets
  }
  await until("threads and descriptors are as many as before", async () => {
    const [threadsNow, descriptorsNow] = figuresOf(registry.pid);
    return threadsNow <= threads && descriptorsNow <= descriptors;
  });
  const grown = residentOf(registry.pid) - resident;
  t.diagnostic(
    `${threads} threads, ${descriptors} descriptors; ${Math.round(grown / MIB)} MiB more after ${RELOADS} changes`,
  );
  assert.ok(grown < 60 * MIB, `${grown} bytes more`);
  assert.doesNotMatch(registry.log, /MaxListeners|level=error/);
});

const MAIL = { smtp: { addr: "127.0.0.1:1" }, from: "a@example.com", to: ["b@example.com"] };
const LOGIN = `Basic ${btoa("alice:x")}`;

function figuresOf(pid: number): readonly [threads: number, descriptors: number] {
  return [readdirSync(`/proc/${pid}/task`).length, descriptorsOf(pid)];
}

/** Once they do not change any more between two looks. */
async function settledFigures(pid: number): Promise<readonly [number, number]> {
  let before = "";
  await until("the figures settled", () => {
    const now = String(figuresOf(pid));
    const isSame = now === before;
    before = now;
    return isSame;
  });
  return figuresOf(pid);
}
