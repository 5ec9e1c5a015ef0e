import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { Unauthorized } from "../oci/errors.ts";
import type { EdgeLog } from "./edge.ts";
import { Exchange } from "./exchange.ts";
import { Refusals } from "./refusal.ts";

test("a flood of refusals writes twenty lines a second, and the next one says how many were left out", () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = { warn: (fields: Readonly<Record<string, unknown>>) => lines.push(fields) };
  const socket = { remoteAddress: "10.0.0.9", remotePort: 1 };
  const request = { headers: {}, socket, method: "GET", url: "/v2/" } as unknown as IncomingMessage;
  const exchange = new Exchange(request, {} as ServerResponse, "/");
  let now = 0;
  const refusals = new Refusals(log as unknown as EdgeLog, () => now);
  const error = new Unauthorized("Test", []);
  const tell = (): void => assert.equal(refusals.tell(error, exchange), error);
  for (let i = 0; i < 1000; i++) tell();
  assert.equal(lines.length, 20);
  now = 1000;
  tell();
  assert.deepEqual(
    lines.map(({ unsaid }) => unsaid).filter((unsaid) => unsaid !== undefined),
    [980],
  );
});
