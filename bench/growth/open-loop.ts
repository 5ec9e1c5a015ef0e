/**
 * Requests at a constant rate, whatever the answers do. A request that has to wait for a free connection has been waiting since
 * it was due: what others take is not left out.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Latencies } from "./latencies.ts";

export interface Asking {
  readonly url: string;
  readonly method: "GET" | "HEAD";
  readonly path: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Not counted: until then the server compiles what it does often. s */
const WARM_UP = 2;

/** What is due later is slept for, for a timer may be a ms late. The other times the loop turns, so that no timer is. ms */
const AHEAD = 2;

const ACCEPT = "application/vnd.oci.image.manifest.v1+json";

/** @throws {Error} for any other status than 200 */
export async function askSteadily(asking: Asking): Promise<Latencies> {
  const { url, method, path, connections, perSecond, seconds } = asking;
  const { hostname, port } = new URL(url);
  const text = `${method} ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: ${ACCEPT}\r\n\r\n`;
  using asked = new Asked(text, method === "GET");
  await asked.connect(hostname, Number(port), connections);
  const [pause, begun] = [1000 / perSecond, performance.now()];
  const total = Math.round((WARM_UP + seconds) * perSecond);
  for (let due = 0; asked.answered < total; ) {
    for (const now = performance.now(); due < total && begun + due * pause <= now; due++)
      asked.ask(begun + due * pause);
    const left = begun + due * pause - performance.now();
    await (due < total && left > AHEAD ? setTimeout(left - AHEAD) : setImmediate());
    if (asked.error) throw asked.error;
  }
  return new Latencies(asked.taken.slice(Math.round(WARM_UP * perSecond)));
}

/** Requests that are due, and the connections that are free for them. */
class Asked implements Disposable {
  /** In the order of the answers. ms */
  readonly taken: number[] = [];
  error: Error | undefined;
  readonly #text: string;
  readonly #hasBody: boolean;
  readonly #sockets: Socket[] = [];
  readonly #free: Socket[] = [];
  readonly #due: number[] = [];
  #next = 0;

  constructor(text: string, hasBody: boolean) {
    this.#text = text;
    this.#hasBody = hasBody;
  }

  get answered(): number {
    return this.taken.length;
  }

  async connect(host: string, port: number, count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      const socket = connect({ host, port, noDelay: true });
      this.#sockets.push(socket);
      await once(socket, "connect");
      socket.on("close", () => {
        this.error ??= new Error("a connection was closed");
      });
      this.#free.push(socket);
    }
  }

  /** @param due when it was to be sent */
  ask(due: number): void {
    this.#due.push(due);
    const socket = this.#free.shift(); // each in its turn, so that none is idle for long and closed
    if (socket) this.#send(socket);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #send(socket: Socket): void {
    const due = this.#due[this.#next++];
    if (due === undefined) throw new Error("nothing is due");
    const answer = new Answer(this.#hasBody);
    const fail = (error: Error): void => {
      this.error ??= error;
    };
    const onData = (bytes: Buffer): void => {
      try {
        if (!answer.take(bytes)) return;
      } catch (error) {
        fail(error as Error);
        return;
      }
      this.taken.push(performance.now() - due);
      socket.removeAllListeners("data").removeAllListeners("error");
      if (this.#next < this.#due.length) this.#send(socket);
      else this.#free.push(socket);
    };
    socket.on("data", onData).on("error", fail);
    socket.write(this.#text);
  }
}

/** One answer, of which only the status and the length count. */
class Answer {
  readonly #hasBody: boolean;
  #head = "";
  #left: number | undefined;

  constructor(hasBody: boolean) {
    this.#hasBody = hasBody;
  }

  /** @returns whether it is complete */
  take(bytes: Buffer): boolean {
    if (this.#left !== undefined) {
      this.#left -= bytes.length;
      return this.#left === 0;
    }
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) return false;
    if (!this.#head.startsWith("HTTP/1.1 200 ")) throw new Error(this.#head);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1]);
    this.#left = this.#hasBody ? length - (this.#head.length - end - 4) : 0;
    return this.#left === 0;
  }
}
