import { randomUUID } from "node:crypto";
import { startFaultProxy } from "../test/support/fault-proxy.ts";
import { type Content, contentOf, imageOf, layerOfArchive, noise } from "../test/support/image.ts";
import type { RegistryClient } from "../test/support/registry-client.ts";
import type { RegistryKind } from "../test/support/registry-process.ts";
import { openRegistryOn } from "../test/support/swap.ts";
import { gatewayParameters } from "../test/support/versitygw.ts";

export interface RequestCount {
  readonly requests: number;
  /** Bytes of bodies to S3. */
  readonly sent: number;
  readonly received: number;
  readonly operations: ReadonlyMap<string, number>;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const [LARGE, SMALL] = [layer(25 * MIB, 1), layer(KIB, 2)];
const IMAGE = imageOf([layerOfArchive(noise(3 * MIB, 3), "none"), layerOfArchive(noise(100 * KIB, 4), "none")]);

/** In this order: what is pulled was pushed. */
export const SCENARIOS = [
  "push of a layer of 25 MiB",
  "pull of a layer of 25 MiB",
  "push of a layer of 1 KiB",
  "pull of a layer of 1 KiB",
  "push of an image of 2 layers",
  "pull of an image of 2 layers",
] as const;

export type Scenario = (typeof SCENARIOS)[number];

const WORK: Readonly<Record<Scenario, (http: RegistryClient) => Promise<unknown>>> = {
  "push of a layer of 25 MiB": (http) => pushInPieces(http, LARGE),
  "pull of a layer of 25 MiB": (http) => http.expectBlob("layers", LARGE),
  "push of a layer of 1 KiB": (http) => pushInPieces(http, SMALL),
  "pull of a layer of 1 KiB": (http) => http.expectBlob("layers", SMALL),
  "push of an image of 2 layers": (http) => http.push("image", "v1", IMAGE),
  "pull of an image of 2 layers": (http) => http.expectImage("image", "v1", IMAGE),
};

/** Counts what the registry asks for in each scenario, with nothing cached beyond what it keeps by itself. */
export async function countRequests(
  kind: RegistryKind,
  gateway: number,
): Promise<Readonly<Record<Scenario, RequestCount>>> {
  await using proxy = await startFaultProxy(gateway);
  const parameters = { rootdirectory: randomUUID(), secure: false };
  await using registry = await openRegistryOn(kind, gatewayParameters(proxy.port, parameters));
  const counts: [Scenario, RequestCount][] = [];
  for (const scenario of SCENARIOS) {
    proxy.forget();
    await WORK[scenario](registry.http);
    counts.push([scenario, countOf(proxy.requests)]);
  }
  return Object.fromEntries(counts) as Record<Scenario, RequestCount>;
}

function countOf(requests: Awaited<ReturnType<typeof startFaultProxy>>["requests"]): RequestCount {
  const operations = new Map<string, number>();
  for (const { operation } of requests) operations.set(operation, (operations.get(operation) ?? 0) + 1);
  const sum = (which: "sent" | "received"): number => requests.reduce((total, one) => total + one[which], 0);
  return { requests: requests.length, sent: sum("sent"), received: sum("received"), operations };
}

/** `POST`, `PATCH` with all bytes, `PUT` with none, as docker and podman do it. */
async function pushInPieces(http: RegistryClient, { bytes, descriptor }: Content): Promise<void> {
  const upload = await http.append(await http.startUpload("layers"), bytes);
  await http.finishUpload(upload, descriptor.digest);
}

function layer(size: number, seed: number): Content {
  return contentOf(noise(size, seed), "application/octet-stream");
}
