import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy as companies have them, to which every name of a server is this machine's. Disposal ends it. */
export interface ForwardProxy extends AsyncDisposable {
  readonly port: number;
  /** What it was asked for, as `CONNECT s3.test:443` or `GET http://s3.test/bucket`, without queries. */
  readonly asked: readonly string[];
  /** Of the last request: what its client says of itself. */
  readonly authorization: string | undefined;
  /** From now on it refuses with this status; undefined: no more. */
  refuse(status: number | undefined): void;
}

export async function startForwardProxy(): Promise<ForwardProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let [refusal, authorization]: [number | undefined, string | undefined] = [undefined, undefined];
  const note = ({ method, url = "", headers }: IncomingMessage): void => {
    asked.push(`${method} ${url.split("?")[0]}`);
    authorization = headers["proxy-authorization"];
  };
  const server = createServer((incoming, outgoing) => {
    note(incoming);
    if (refusal !== undefined) return void outgoing.writeHead(refusal).end();
    const { method, headers, url } = incoming;
    const { port, pathname, search } = new URL(url ?? "");
    const passed = request({ host: "127.0.0.1", port, method, headers, path: pathname + search }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.on("connect", (incoming, client: Socket) => {
    note(incoming);
    if (refusal !== undefined) return void client.resume().end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const target = connect(Number(incoming.url?.split(":").at(-1)), "127.0.0.1");
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    client.pipe(target).pipe(client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get authorization() {
      return authorization;
    },
    refuse: (status) => {
      refusal = status;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
