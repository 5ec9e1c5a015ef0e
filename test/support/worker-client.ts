import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import type { Socket } from "node:net";
import type { RegistryProcess } from "./registry-process.ts";

export interface WorkerAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One connection that is kept, and so a client of one worker. Disposal closes it. */
export class WorkerClient implements Disposable {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** The client's end. */
  get localPort(): number {
    return this.#socket?.localPort ?? 0;
  }

  /** @param path as it stands behind `/v2/`, or a whole path */
  async send(
    method: string,
    path: string,
    { headers = {}, body }: { readonly headers?: OutgoingHttpHeaders; readonly body?: Uint8Array | string } = {},
  ): Promise<WorkerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerAnswer>();
    const where = { host: "127.0.0.1", port: this.#port, path: path.startsWith("/") ? path : `/v2/${path}` };
    const sent = request({ ...where, method, agent: this.#agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.on("socket", (socket) => {
      this.#socket = socket;
    });
    sent.end(body);
    return await promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Processes that `pid` has started and that run, in the order they were. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return text.trim() === "" ? [] : text.trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

/** A client of each worker, in the order of their processes. */
export async function clientsOfWorkers({ pid, port }: RegistryProcess): Promise<ReadonlyMap<number, WorkerClient>> {
  const clients = new Map<number, WorkerClient>();
  const workers = childrenOf(pid);
  for (let attempt = 0; clients.size < workers.length; attempt += 1) {
    if (attempt === ATTEMPTS) throw new Error(`${ATTEMPTS} connections came to ${clients.size} workers`);
    const client = new WorkerClient(port);
    await client.send("GET", "/v2/");
    const worker = workerOf({ pid, port }, client.localPort);
    if (worker === undefined || clients.has(worker)) client[Symbol.dispose]();
    else clients.set(worker, client);
  }
  return new Map([...clients].sort(([one], [other]) => one - other));
}

/** The worker that has a connection. @param client the client's port */
export function workerOf({ pid, port }: Pick<RegistryProcess, "pid" | "port">, client: number): number | undefined {
  return childrenOf(pid).find((one) => socketsOf(one).has(inodeOf(port, client)));
}

const ATTEMPTS = 500;

/** Of the server's end of a connection over the loopback. */
function inodeOf(server: number, client: number): string {
  const ends = [server, client].map((port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`).join(" ");
  const line = readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .find((text) => text.includes(ends));
  return line?.trim().split(/\s+/)[9] ?? "none";
}

function socketsOf(pid: number): ReadonlySet<string> {
  const names = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ""];
    } catch {
      return []; // closed meanwhile
    }
  });
  return new Set(names);
}
