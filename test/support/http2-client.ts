import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";

/** One connection of HTTP/2; breaks it at its disposal. */
export class Http2Client implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on("error", () => undefined); // told by what ends
  }

  /** @param window bytes that the server may send before they are read */
  static async open(origin: string, window: number = 65_535): Promise<Http2Client> {
    const session = connect(origin, { rejectUnauthorized: false, settings: { initialWindowSize: window } });
    const client = new Http2Client(session);
    await once(session, "connect");
    session.setLocalWindowSize(Math.max(window, 65_535));
    return client;
  }

  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    const endStream = method === "GET" || method === "HEAD";
    const stream = this.session.request({ ":method": method, ":path": path, ...headers }, { endStream });
    stream.on("error", () => undefined);
    return stream;
  }

  /** A whole answer. @throws where the stream ends with an error before it */
  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: Buffer }> {
    const stream = this.request("GET", path, headers);
    const [head] = await once(stream, "response");
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { status: Number(head[":status"]), body: Buffer.concat(parts) };
  }

  /** Resolves when the server ends the connection. */
  async ended(): Promise<void> {
    if (!this.session.destroyed) await once(this.session, "close");
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}
