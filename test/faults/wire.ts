import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** The head of an answer; names of headers are in lower case. */
export interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** The server closed the connection while more was expected. */
export class WireClosed extends Error {
  override readonly name = "WireClosed";
  /** What had come of the bytes asked for. */
  readonly received: Buffer;

  constructor(received: Buffer) {
    super(`the connection ended after ${received.length} of the bytes asked for`);
    this.received = received;
  }
}

const HEAD_END = "\r\n\r\n";

/**
 * One connection to a server, byte by byte, for what no well-behaved client does: stop half-way, pipeline, not read.
 * Nothing is read from the socket beyond its buffers while nobody asks.
 */
export class Wire implements Disposable {
  readonly socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {}); // told to who reads or writes
    this.#chunks = socket.iterator({ destroyOnReturn: false });
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new Wire(socket);
  }

  /** As {@link open}, over TLS with a server that nobody has to trust. */
  static async openEncrypted(port: number): Promise<Wire> {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return new Wire(socket);
  }

  /** @param fields lines of the head, without `Host` */
  ask(method: string, path: string, ...fields: readonly string[]): Promise<boolean> {
    return this.send(requestText(method, path, ...fields));
  }

  /** Resolves when the kernel took the bytes; false where the connection broke. */
  send(bytes: string | Uint8Array): Promise<boolean> {
    if (this.socket.destroyed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.socket.write(bytes, (error) => resolve(!error));
    return promise;
  }

  /** @throws {WireClosed} */
  async head(): Promise<Head> {
    while (!this.#received.includes(HEAD_END)) await this.#pull();
    const [statusLine = "", ...lines] = this.#take(this.#received.indexOf(HEAD_END)).toString("latin1").split("\r\n");
    this.#take(HEAD_END.length);
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return { status: Number(statusLine.split(" ")[1]), headers: new Map(headers) };
  }

  /** @throws {WireClosed} where fewer come */
  async bytes(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      if (this.#received.length === 0) await this.#pull(parts);
      const part = this.#take(Math.min(left, this.#received.length));
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts, length);
  }

  /** A head and as much body as it announces. */
  async answer(): Promise<Head & { readonly body: Buffer }> {
    const head = await this.head();
    return { ...head, body: await this.bytes(lengthOf(head)) };
  }

  /** Reads what still comes, until the server closes. */
  async rest(): Promise<Buffer> {
    try {
      return await this.bytes(Number.MAX_SAFE_INTEGER);
    } catch (error) {
      if (error instanceof WireClosed) return error.received;
      throw error;
    }
  }

  /** Breaks the connection; with a reset where bytes are unread. (`resetAndDestroy` may keep Node 26.10 from exiting.) */
  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #pull(taken: readonly Buffer[] = []): Promise<void> {
    const next = await this.#chunks.next().catch(() => undefined);
    if (next === undefined || next.done) throw new WireClosed(Buffer.concat([...taken, this.#received]));
    this.#received = this.#received.length === 0 ? next.value : Buffer.concat([this.#received, next.value]);
  }
}

export function requestText(method: string, path: string, ...fields: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, "Host: registry", ...fields, "", ""].join("\r\n");
}

export function lengthOf(head: Head): number {
  return Number(head.headers.get("content-length") ?? 0);
}
