import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpServer } from "./http-server.ts";

test("many may wait to be accepted, wherever it listens", async (t) => {
  const timeouts = { header: 1000, idle: 1000 };
  const listener = new HttpServer({ stall: 1000, timeouts }, (_request, response) => response.end());
  const listen = t.mock.method(listener.server, "listen");
  await listener.listen({ host: "127.0.0.1", port: 0 });
  assert.deepEqual(listen.mock.calls[0]?.arguments[0], { host: "127.0.0.1", port: 0, backlog: 4096 });
  await listener.close();
});
