import assert from "node:assert/strict";
import type { Upload } from "../support/registry-client.ts";
import { RegistryClient } from "../support/registry-client.ts";
import type { RegistryProcess } from "../support/registry-process.ts";
import { Wire } from "./wire.ts";

/** Bytes of an upload. `0-0` says both none and one; no upload here has one byte. */
export function sizeOf({ range }: Upload): number {
  const last = Number(range.split("-")[1]);
  return last === 0 ? 0 : last + 1;
}

/** What the API answers with an error of this code. */
export async function expectError(answer: Response, status: number, code: string, detail: RegExp): Promise<void> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  const { errors } = JSON.parse(text) as { errors: { code: string; message: string; detail: unknown }[] };
  assert.equal(errors[0]?.code, code);
  assert.match(`${errors[0]?.message}: ${errors[0]?.detail}`, detail);
}

/** A PATCH of `length` bytes of which only `bytes` come. */
export async function beginPatch(
  registry: RegistryProcess,
  upload: Upload,
  length: number,
  bytes: Uint8Array,
): Promise<Wire> {
  const wire = await Wire.open(registry.port);
  await wire.ask("PATCH", upload.location, `Content-Length: ${length}`);
  await wire.send(bytes);
  return wire;
}

export function clientOf(registry: RegistryProcess): RegistryClient {
  return new RegistryClient(registry.url);
}
