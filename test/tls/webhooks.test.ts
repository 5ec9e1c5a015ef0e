/** Events on their way to endpoints that are not just next door. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { until } from "../faults/until.ts";
import { clientOf } from "../faults/uploads.ts";
import { type EventReceiver, startReceiver } from "../support/event-receiver.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { contentOf, noise } from "../support/image.ts";
import { type RegistryProcess, startRegistry } from "../support/registry-process.ts";
import { type SelfSigned, selfSigned } from "../support/self-signed.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const BLOB = contentOf(noise(1000, 1), "application/octet-stream");

interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly receiver: EventReceiver;
  /** Of the receiver's certificate, for `SSL_CERT_FILE`. */
  readonly trusted: string;
}

async function openPlace(pair?: SelfSigned): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("webhooks"));
  const receiver = stack.use(await startReceiver(pair ? { pair } : {}));
  if (pair) await writeFile(folder.join("trusted.pem"), pair.cert);
  const owned = stack.move();
  return { folder, receiver, trusted: folder.join("trusted.pem"), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function start({ folder }: Place, url: string, env: Readonly<Record<string, string>>): Promise<RegistryProcess> {
  const endpoints = [{ name: "there", url, timeout: "10s", threshold: 3, backoff: "50ms" }];
  return startRegistry("wharfinger", {
    rootDirectory: folder.join("data"),
    configuration: { notifications: { endpoints } },
    env: { HTTP_PROXY: "", HTTPS_PROXY: "", NO_PROXY: "", http_proxy: "", https_proxy: "", no_proxy: "", ...env },
  });
}

const isPushed = ({ events }: EventReceiver): boolean => events.some(({ action }) => action === "push");

describe("events go to an endpoint", () => {
  test("over TLS where its authority is one of the system's, and wait where it is not", async () => {
    await using place = await openPlace(await selfSigned());
    const { receiver, trusted } = place;
    {
      await using registry = await start(place, receiver.url, {});
      await clientOf(registry).pushBlob("a", BLOB);
      await until("the refusal is told", () => /self-signed certificate/.test(registry.log));
      assert.equal(receiver.requests.length, 0);
    }
    await using _registry = await start(place, receiver.url, { SSL_CERT_FILE: trusted });
    await receiver.has(isPushed);
  });

  test("over TLS through the proxy of HTTPS_PROXY, which sees a name and nothing else", async () => {
    await using place = await openPlace(await selfSigned(["DNS:hooks.test"]));
    const { receiver, trusted } = place;
    await using proxy = await startForwardProxy();
    const env = { SSL_CERT_FILE: trusted, HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxy.port}` };
    await using registry = await start(place, `https://hooks.test:${receiver.port}/events`, env);
    await clientOf(registry).pushBlob("a", BLOB);
    await receiver.has(isPushed);
    assert.deepEqual([...new Set(proxy.asked)], [`CONNECT hooks.test:${receiver.port}`]);
    assert.equal(proxy.authorization, `Basic ${btoa("me:secret")}`);
    assert.doesNotMatch(registry.log, /secret/);
  });

  test("that the proxy refuses once it no longer does", async () => {
    await using place = await openPlace(await selfSigned(["DNS:hooks.test"]));
    const { receiver, trusted } = place;
    await using proxy = await startForwardProxy();
    const env = { SSL_CERT_FILE: trusted, HTTPS_PROXY: `127.0.0.1:${proxy.port}` };
    await using registry = await start(place, `https://hooks.test:${receiver.port}/events`, env);
    proxy.refuse(407);
    await clientOf(registry).pushBlob("a", BLOB);
    await until("the refusal is told", () => /endpoint there failed 3 times/.test(registry.log));
    assert.equal(receiver.requests.length, 0);
    proxy.refuse(undefined);
    await receiver.has(isPushed);
  });

  test("without TLS through the proxy of HTTP_PROXY, and past it where NO_PROXY names the endpoint", async () => {
    await using place = await openPlace();
    const { receiver } = place;
    await using proxy = await startForwardProxy();
    const url = `http://hooks.test:${receiver.port}/events`;
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
    {
      await using registry = await start(place, url, { HTTP_PROXY });
      await clientOf(registry).pushBlob("a", BLOB);
      await receiver.has(isPushed);
      assert.deepEqual([...new Set(proxy.asked)], [`POST ${url}`]);
    }
    const before = proxy.asked.length;
    await using registry = await start(place, url, { HTTP_PROXY, NO_PROXY: "hooks.test" });
    await clientOf(registry).pushBlob("b", BLOB);
    await until("the name was looked up here", () => /ENOTFOUND|EAI_AGAIN/.test(registry.log));
    assert.equal(proxy.asked.length, before);
  });
});
