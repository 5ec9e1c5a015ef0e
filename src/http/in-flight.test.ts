import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { until } from "../../test/faults/until.ts";
import { Exchange } from "./exchange.ts";
import { InFlight } from "./in-flight.ts";

interface Place extends AsyncDisposable {
  readonly inFlight: InFlight;
  readonly responses: readonly ServerResponse[];
  readonly port: number;
}

async function open(): Promise<Place> {
  const [inFlight, responses] = [new InFlight(), [] as ServerResponse[]];
  const server = createServer((request: IncomingMessage, response) => {
    const { arrived, answered } = inFlight.observer;
    const exchange = new Exchange(request, response, "/");
    arrived?.(exchange);
    response.on("close", () => answered?.(exchange));
    responses.push(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ inFlight, responses, port },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, "pending"))])) === "pending";
}

test("nothing is in flight where nothing came", async () => {
  await new InFlight().end();
});

test("a request is in flight until its answer is sent, on a connection that stays open", async () => {
  await using place = await open();
  const socket = connect(place.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("it came", () => place.responses.length === 1);
  const ended = place.inFlight.end();
  assert.equal(await isPending(ended), true);
  place.responses[0]?.end();
  await ended;
  socket.destroy();
});

test("requests that wait behind others are in flight no longer than their connection", async () => {
  await using place = await open();
  const socket = connect(place.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
  await until("they came", () => place.responses.length === 3);
  const ended = place.inFlight.end();
  assert.equal(await isPending(ended), true);
  socket.destroy();
  await ended;
});

test("a request is in flight as long as it is handled, also when its client has gone", async () => {
  const inFlight = new InFlight();
  inFlight.observer.begun?.({} as never);
  const ended = inFlight.end();
  assert.equal(await isPending(ended), true);
  inFlight.observer.ended?.({} as never);
  await ended;
});
