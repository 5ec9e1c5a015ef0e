import assert from "node:assert/strict";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setImmediate, setTimeout } from "node:timers/promises";
import { LARGE_BLOCK as BLOCK, BodyBlocks } from "./body-blocks.ts";

describe("blocks of a body", () => {
  test("have its bytes, whatever pieces it comes in and however slowly they are taken", async (t) => {
    const bytes = randomBytes(5 * BLOCK + 12_345);
    for (const longest of [100_000, 3_000_000]) {
      const { blocks, client } = await receive(t);
      const sent = (async () => {
        for (let at = 0; at < bytes.length; ) {
          const piece = bytes.subarray(at, at + randomInt(1, longest));
          at += piece.length;
          if (!client.write(piece)) await once(client, "drain");
        }
        client.end();
      })();
      const hash = createHash("sha256");
      const lengths: number[] = [];
      for (let block = await blocks.next(); block; block = await blocks.next()) {
        await setTimeout(randomInt(0, 5));
        hash.update(block);
        lengths.push(block.length);
      }
      await sent;
      assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
      assert.ok(lengths.every((length) => length <= BLOCK));
    }
  });

  test("are given as they are where the rest takes long", async (t) => {
    const { blocks, client } = await receive(t);
    const bytes = randomBytes(300 * 1024);
    client.write(bytes); // and no end
    const got: Buffer[] = [];
    while (Buffer.concat(got).length < bytes.length) got.push(Buffer.from((await blocks.next()) ?? []));
    assert.deepEqual(Buffer.concat(got), bytes);
    const next = blocks.next();
    await setTimeout(150);
    client.end("x");
    assert.equal(String(await next), "x");
    assert.equal(await blocks.next(), undefined);
  });

  test("are full where the rest is there", async (t) => {
    const { blocks, request, client } = await receive(t);
    client.end(randomBytes(BLOCK + 10));
    await fullOf(request);
    assert.equal((await blocks.next())?.length, BLOCK);
    assert.equal((await blocks.next())?.length, 10);
  });

  test("hold no more than two of a body that nobody takes", async (t) => {
    const { blocks, request, client } = await receive(t);
    client.write(randomBytes(64 * BLOCK));
    await fullOf(request);
    await blocks.next();
    await fullOf(request);
    await setTimeout(200);
    assert.ok(request.socket.bytesRead < 6 * BLOCK, `${request.socket.bytesRead} bytes were read`);
    client.destroy();
    assert.equal((await blocks.next())?.length, BLOCK);
  });

  test("give what came of a body that was cut, and then fail", async (t) => {
    const { blocks, request, client } = await receive(t);
    const bytes = randomBytes(BLOCK + 1000);
    client.write(bytes);
    await fullOf(request);
    assert.deepEqual(await blocks.next(), bytes.subarray(0, BLOCK));
    await setTimeout(50);
    client.destroy();
    assert.deepEqual(await blocks.next(), bytes.subarray(BLOCK));
    await assert.rejects(blocks.next());
    await assert.rejects(blocks.next());
  });

  test("leave the rest to others", async (t) => {
    const { blocks, request, client } = await receive(t);
    client.end(randomBytes(9 * BLOCK));
    await blocks.next();
    blocks[Symbol.dispose]();
    assert.equal(request.isPaused(), true);
    request.on("data", () => undefined).resume();
    await once(request, "end");
  });

  test("do not stop others that already read on", async (t) => {
    const { blocks, request, client } = await receive(t);
    client.end(randomBytes(9 * BLOCK));
    await blocks.next();
    request.on("data", () => undefined).resume();
    blocks[Symbol.dispose]();
    await once(request, "end");
  });

  test("of no bytes are none", async (t) => {
    const { blocks, client } = await receive(t);
    client.end();
    assert.equal(await blocks.next(), undefined);
    await setImmediate();
    assert.equal(await blocks.next(), undefined);
  });

  test("are small where many bodies come at once", async (t) => {
    await Promise.all(Array.from({ length: 32 }, () => receive(t)));
    const last = await receive(t);
    last.client.end(randomBytes(100_000));
    assert.equal((await last.blocks.next())?.length, 64 * 1024);
    assert.equal((await last.blocks.next())?.length, 100_000 - 64 * 1024);
  });
});

/** A full block is what stops a body. */
async function fullOf(request: IncomingMessage): Promise<void> {
  while (!request.isPaused()) await setTimeout(5);
}

interface Receiving {
  readonly blocks: BodyBlocks;
  readonly request: IncomingMessage;
  readonly client: ReturnType<typeof send>;
}

async function receive(t: TestContext): Promise<Receiving> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = send({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", method: "PUT" });
  client.on("error", () => undefined);
  client.flushHeaders();
  const [request] = (await once(server, "request")) as [IncomingMessage];
  const blocks = new BodyBlocks(request, () => undefined);
  t.after(() => {
    blocks[Symbol.dispose]();
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { blocks, request, client };
}
