import { connect } from "node:net";
import type { Check } from "./check.ts";

export interface TcpCheckOptions {
  /** `host:port`, as written. */
  readonly addr: string;
  /** Not set: this machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Makes a connection and ends it. */
export function tcpCheck({ addr, host = "localhost", port }: TcpCheckOptions): Check {
  return { name: addr, look: (signal) => reach(host, port, signal) };
}

async function reach(host: string, port: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port }, resolve);
  const stop = (): void => void socket.destroy();
  socket.on("error", ({ message }) => reject(new Error(`connection to ${host}:${port} failed: ${message}`)));
  signal.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}
