import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server of this machine that can be slowed down, stopped and cut. Disposal cuts it. */
export interface SlowProxy extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** From now on what the server says arrives so much later; `Infinity`: never. ms */
  delay(ms: number): void;
  /** Ends all connections; new ones are taken. */
  cut(): void;
}

export async function slowProxy(port: number): Promise<SlowProxy> {
  let delay = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => target.write(bytes));
    target.on("data", (bytes) => {
      if (delay === 0) client.write(bytes);
      else if (delay !== Number.POSITIVE_INFINITY) setTimeout(() => client.write(bytes), delay);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    delay: (ms) => {
      delay = ms;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
    },
  };
}
