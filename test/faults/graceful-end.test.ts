import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { contentOf, noise } from "../support/image.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { KIB, MIB } from "./form.ts";
import { digestOfRest } from "./long-blob.ts";
import { until } from "./until.ts";
import { beginPatch, clientOf, sizeOf } from "./uploads.ts";
import { Wire } from "./wire.ts";

const upload = contentOf(noise(700 * KIB, 1), "application/octet-stream");
const download = contentOf(noise(32 * MIB, 2), "application/octet-stream");
const HALF = 300 * KIB;
/** Longer than a test waits for the process before it kills it, and longer than a timer of Node can wait. */
const NEVER = "720h";

describe("the end of the server", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`after ${signal} takes no connection, finishes what is in flight, and has exit code 0`, async () => {
      await using place = await openPlace(NEVER);
      const { registry } = place;
      const http = clientOf(registry);
      await http.pushBlob("end", download);
      const session = await http.startUpload("end");
      using writer = await beginPatch(registry, session, upload.bytes.length, upload.bytes.subarray(0, HALF));
      using reader = await Wire.open(registry.port);
      await reader.ask("GET", `/v2/end/blobs/${download.descriptor.digest}`);
      await reader.head();
      await until("the upload began", async () => sizeOf(await http.uploadStatus(session)) > 0);

      const code = await end(registry, signal);
      await until("connections are refused", () => isRefused(registry.port));
      await writer.send(upload.bytes.subarray(HALF));
      assert.equal((await writer.answer()).status, 202);
      assert.equal(await digestOfRest(reader, download.bytes.length), download.descriptor.digest);
      assert.equal(await code(), 0);
      await place.restart();
      await clientOf(place.registry).finishUpload(
        await clientOf(place.registry).uploadStatus(session),
        upload.descriptor.digest,
      );
    });
  }

  test("is not held up by connections without a request", async () => {
    await using place = await openPlace(NEVER);
    using idle = await Wire.open(place.registry.port);
    using _silent = await Wire.open(place.registry.port);
    await idle.ask("GET", "/v2/");
    assert.equal((await idle.answer()).status, 200);
    assert.equal(await (await end(place.registry, "SIGTERM"))(), 0);
  });

  for (const [timeout, code, log] of [
    ["200ms", 1, /requests still ran after 200 ms and were cut off/],
    ["0s", 0, /stopping server gracefully\. Draining connections for 0s"/],
  ] as const) {
    test(`cuts a stalled upload off after ${timeout}, which can be resumed later`, async () => {
      await using place = await openPlace(timeout);
      const http = clientOf(place.registry);
      const session = await http.startUpload("end");
      using wire = await beginPatch(place.registry, session, upload.bytes.length, upload.bytes.subarray(0, HALF));
      await until("the upload began", async () => sizeOf(await http.uploadStatus(session)) > 0);
      const { registry } = place;
      assert.equal(await (await end(registry, "SIGTERM"))(), code);
      assert.match(registry.log, log);
      assert.equal((await wire.rest()).length, 0);
      await place.restart();
      const again = clientOf(place.registry);
      const stands = await again.uploadStatus(session);
      await again.finishUpload(stands, upload.descriptor.digest, upload.bytes.subarray(sizeOf(stands)));
    });
  }
});

test("a storage that hangs does not keep the server from ending", async () => {
  await using folder = await temporaryFolder("end");
  const module = folder.join("hung.js");
  await writeFile(module, HUNG);
  const configuration = { http: { draintimeout: "200ms" } };
  const driver = { [module]: {} };
  await using registry = await startRegistry("wharfinger", { rootDirectory: "nowhere", configuration, driver });
  using wire = await Wire.open(registry.port);
  await wire.ask("GET", "/v2/a/manifests/latest");
  await until("the storage was asked", () => registry.log.includes("asked for /"));
  const ended = await end(registry, "SIGTERM");
  assert.equal(await ended(), 1);
  assert.match(registry.log, /requests still ran after 200 ms/);
  assert.match(registry.log, /what was open could not be closed within 1200 ms/);
});

const HUNG = `
const hang = (path) => {
  console.error("asked for " + path);
  return new Promise(() => setInterval(() => undefined, 1000));
};
const calls = ["getContent", "putContent", "reader", "writer", "stat", "list", "move", "delete"];
export const openDriver = () => ({
  name: "hung",
  location: "nowhere",
  ...Object.fromEntries(calls.map((call) => [call, hang])),
  [Symbol.asyncDispose]: async () => undefined,
});
`;

/** Sends the signal and waits until it was heard; what it answers waits for the exit code. */
test("a request that has only begun to arrive does not delay the end", async () => {
  await using place = await openPlace("60s");
  const socket = connect(place.registry.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /v2/ HTTP/1.1\r\nHo");
  socket.on("error", () => undefined); // a reset will do
  const closed = new Promise((resolve) => socket.resume().once("close", resolve));
  const ended = await end(place.registry, "SIGTERM");
  assert.equal(await ended(), 0);
  await closed;
});

async function end(registry: RegistryProcess, signal: "SIGTERM" | "SIGINT"): Promise<() => Promise<number | null>> {
  const stopped = signal === "SIGTERM" ? registry.stop() : undefined;
  if (stopped === undefined) process.kill(registry.pid, signal);
  await until("the signal was heard", () => registry.log.includes(`${signal}: stopping`));
  return () => stopped ?? registry.stop();
}

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  registry: RegistryProcess;
  restart(): Promise<void>;
}

async function openPlace(draintimeout: string): Promise<Place> {
  const folder = await temporaryFolder("end");
  const start = (): Promise<RegistryProcess> =>
    startRegistry("wharfinger", { rootDirectory: folder.path, configuration: { http: { draintimeout } } });
  const place: Place = {
    folder,
    registry: await start(),
    async restart() {
      await place.registry[Symbol.asyncDispose]();
      place.registry = await start();
    },
    async [Symbol.asyncDispose]() {
      await place.registry[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  return place;
}
