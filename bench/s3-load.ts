import { randomUUID } from "node:crypto";
import type { Digest } from "../src/oci/digest.ts";
import { LongBlobs, pushLongBlob } from "../test/faults/long-blob.ts";
import { peakOf } from "../test/faults/process-figures.ts";
import { lengthOf, Wire } from "../test/faults/wire.ts";
import type { RegistryKind } from "../test/support/registry-process.ts";
import { openRegistryOn, type RunningRegistry } from "../test/support/swap.ts";
import { gatewayParameters } from "../test/support/versitygw.ts";

/** Seconds, as medians. */
export interface Speed {
  readonly push: number;
  readonly pull: number;
}

export interface Burst {
  readonly seconds: number;
  /** The most bytes that were ever resident. */
  readonly memory: number;
}

const MIB = 2 ** 20;
const ROUNDS = 5;
const TOGETHER = 32;

/** Both in turn, so that what else the machine does meets both. */
export async function measureSpeed(gateway: number): Promise<Readonly<Record<RegistryKind, Speed>>> {
  await using ours = await open("wharfinger", gateway);
  await using theirs = await open("docker-registry", gateway);
  const blobs = new LongBlobs(256 * MIB);
  const taken = { wharfinger: emptyTimes(), "docker-registry": emptyTimes() };
  for (const [number, digest] of blobs.digests(ROUNDS).entries()) {
    for (const { kind, process } of number % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      taken[kind].push.push(await secondsOf(() => pushLongBlob(process.port, blobs, number, digest)));
      taken[kind].pull.push(await secondsOf(() => pull(process.port, digest)));
    }
  }
  return { wharfinger: toSpeed(taken.wharfinger), "docker-registry": toSpeed(taken["docker-registry"]) };
}

export async function measureBurst(kind: RegistryKind, gateway: number): Promise<Burst> {
  await using registry = await open(kind, gateway);
  const { port, pid } = registry.process;
  const blobs = new LongBlobs(100 * MIB);
  const digests = blobs.digests(TOGETHER);
  const seconds = await secondsOf(() =>
    Promise.all(digests.map((digest, number) => pushLongBlob(port, blobs, number, digest))),
  );
  return { seconds, memory: peakOf(pid) };
}

function open(kind: RegistryKind, gateway: number): Promise<RunningRegistry> {
  return openRegistryOn(kind, gatewayParameters(gateway, { rootdirectory: randomUUID(), secure: false }));
}

async function pull(port: number, digest: Digest): Promise<void> {
  using wire = await Wire.open(port);
  await wire.ask("GET", `/v2/long/blobs/${digest}`);
  for (let left = lengthOf(await wire.head()); left > 0; left -= MIB) await wire.bytes(Math.min(left, MIB));
}

interface Times {
  readonly push: number[];
  readonly pull: number[];
}

function emptyTimes(): Times {
  return { push: [], pull: [] };
}

function toSpeed({ push, pull: pulled }: Times): Speed {
  return { push: median(push), pull: median(pulled) };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((one, other) => one - other)[Math.floor(figures.length / 2)] ?? Number.NaN;
}
