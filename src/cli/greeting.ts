import { takeInheritedSockets } from "../config/process.ts";
import type { Log } from "../telemetry/log.ts";
import { Failure } from "./failure.ts";

/** @throws {Failure} where systemd passed several, of which nobody knows which one is meant */
export function inheritedSocket(): number | undefined {
  const [first, ...others] = takeInheritedSockets();
  if (others.length === 0) return first;
  throw new Failure(`systemd passed ${others.length + 1} sockets, but exactly one must be in the unit of the socket`);
}

/** Where the data is, and what decided it. */
export function greet(log: Log, location: string, source: string | undefined): void {
  log.info(`data in ${location}, configuration ${source === undefined ? "built in" : `from ${source}`}`);
}

/** The line that pushes a first image. */
export function invite(log: Log, address: string): void {
  if (address.startsWith("/")) return;
  const image = `${address.replace(/^(?:\[::\]|0\.0\.0\.0)(?=:)/, "localhost")}/busybox`;
  log.info(`push a first image: docker pull busybox && docker tag busybox ${image} && docker push ${image}`);
}
