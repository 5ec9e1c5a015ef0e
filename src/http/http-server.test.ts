import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type RequestListener, type ServerResponse } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Where } from "./doors.ts";
import { HttpServer } from "./http-server.ts";

const HOST = "127.0.0.1";
const OPTIONS = { stall: 10_000, timeouts: { header: 10_000, idle: 10_000 } };

const open = async (
  place: Where,
  connections?: number,
  answer: RequestListener = (_request, response) => response.end("here"),
): Promise<{ listener: HttpServer; port: number }> => {
  const listener = new HttpServer({ ...OPTIONS, connections }, answer);
  const address = await listener.listen(place);
  return { listener, port: Number(address.split(":").at(-1)) };
};

test("several that come while it is busy are let in in one turn, and each is answered", async () => {
  const { listener, port } = await open({ host: HOST, port: 0 });
  const counting = turnsUntil(200, listener);
  const waiting = Array.from({ length: 200 }, () => connect(port, HOST));
  const turns = await counting;
  assert.ok(turns <= 50, `200 took ${turns} turns`);
  const answers = waiting.map(async (socket) => {
    socket.end("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return (await socket.toArray()).join("");
  });
  for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*here$/s);
  await listener.close();
});

test("a port that somebody has is not shared with them, nor can they share it", async () => {
  const { listener, port } = await open({ host: HOST, port: 0 });
  await assert.rejects(open({ host: HOST, port }), { code: "EADDRINUSE" });
  await listener.close();
  const other = createServer().listen(port, HOST);
  await once(other, "listening");
  await assert.rejects(open({ host: HOST, port }), { code: "EADDRINUSE" });
  other.close();
});

test("the limit of connections is that of all its sockets together, and a new one counts at once", async () => {
  const { listener, port } = await open({ host: HOST, port: 0 }, 20);
  const first = await openAndSettle(port, 60);
  assert.equal(first.filter((socket) => !socket.closed).length, 20);
  listener.limitConnections(30, 5);
  const more = await openAndSettle(port, 60);
  assert.equal([...first, ...more].filter((socket) => !socket.closed).length, 25);
  listener.limitConnections(0);
  const any = await openAndSettle(port, 60);
  assert.equal(any.filter((socket) => !socket.closed).length, 60);
  for (const socket of [...first, ...more, ...any]) socket.destroy();
  await listener.close();
});

test("closing waits for answers on all its sockets, and nobody is let in any more", async () => {
  const unanswered: ServerResponse[] = [];
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { listener, port } = await open({ host: HOST, port: 0 }, undefined, (_request, response) => {
    if (unanswered.push(response) === 40) resolve();
  });
  const answers = Array.from({ length: 40 }, () => once(get({ host: HOST, port, agent: false }), "response"));
  await asked;
  let isClosed = false;
  const closed = listener.close().then(() => {
    isClosed = true;
  });
  await assert.rejects(once(get({ host: HOST, port, agent: false }), "response"), { code: "ECONNREFUSED" });
  for (const response of unanswered.splice(0, 39)) response.end();
  await Promise.race(answers);
  assert.ok(!isClosed);
  unanswered.pop()?.end();
  for (const [answer] of await Promise.all(answers)) answer.resume();
  await closed;
});

test("it listens on a path, which only one socket can", async () => {
  await using folder = await temporaryFolder("doors");
  const { listener } = await open({ path: folder.join("socket") });
  const [answer] = await once(get({ socketPath: folder.join("socket"), path: "/", agent: false }), "response");
  assert.equal(answer.resume().statusCode, 200);
  await listener.close();
});

/** @returns how many turns of the event loop pass between the first that is let in and the last of `count` */
function turnsUntil(count: number, { server }: { readonly server: Server }): Promise<number> {
  let open = 0;
  let turns = 0;
  const { promise, resolve } = Promise.withResolvers<number>();
  const turn = (): void => {
    turns += 1;
    if (open < count) setImmediate(turn);
  };
  server.on("connection", () => {
    open += 1;
    if (open === 1) setImmediate(turn);
    if (open === count) resolve(turns);
  });
  return promise;
}

/** @returns them when each is let in, or closed */
async function openAndSettle(port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect(port, HOST)
      .on("error", () => undefined)
      .resume(),
  );
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const probe = async (): Promise<void> => {
    const socket = connect(port, HOST);
    await once(socket, "connect");
    socket.destroy();
  };
  for (let turn = 0; turn < 50; turn++) await probe();
  return sockets;
}

test("of two that open a port at nearly the same moment one has it", async () => {
  const { listener, port } = await open({ host: HOST, port: 0 });
  await listener.close();
  for (let ticks = 0; ticks < 20; ticks++) {
    const first = open({ host: HOST, port });
    for (let tick = 0; tick < ticks; tick++) await new Promise((resolve) => process.nextTick(resolve));
    const both = await Promise.allSettled([first, open({ host: HOST, port })]);
    const codes = both.map((one) => (one.status === "fulfilled" ? "listens" : one.reason.code));
    assert.deepEqual(codes.sort(), ["EADDRINUSE", "listens"], `${ticks} ticks later`);
    for (const one of both) if (one.status === "fulfilled") await one.value.listener.close();
  }
});
