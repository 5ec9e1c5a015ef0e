import { once } from "node:events";
import { connect } from "node:net";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** Debian's redis-server on a port of its own. Disposal stops it. */
export interface Redis extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;

  /** A command in the server's inline form, such as `GET key`. @returns its reply as redis sends it, with its lines */
  ask(command: string): Promise<string>;

  /** Ends it at once: what it held is lost. */
  kill(): Promise<void>;

  /** After {@link kill}, on the same port. */
  restart(): Promise<void>;

  /** Stops it where it is, without closing a connection. */
  freeze(): void;
  thaw(): void;
}

/** @param settings as on its command line: `["--requirepass", "x"]` */
export async function startRedis(settings: readonly string[] = []): Promise<Redis> {
  const port = await freePort();
  let server = await start(port, settings);
  return {
    port,
    address: `127.0.0.1:${port}`,
    ask: (command) => ask(port, command),
    kill: () => server.kill(),
    restart: async () => {
      server = await start(port, settings);
    },
    freeze: () => process.kill(server.pid, "SIGSTOP"),
    thaw: () => process.kill(server.pid, "SIGCONT"),
    [Symbol.asyncDispose]: () => server.kill(),
  };
}

async function start(port: number, settings: readonly string[]): Promise<ServerProcess> {
  const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"];
  const server = new ServerProcess("redis-server", [...fixed, ...settings]);
  await server.says(/Ready to accept connections|\+monitor/);
  return server;
}

/** A connection of its own, so that nothing of ours has to work for it. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part as Buffer));
  socket.write(`${command}\r\nQUIT\r\n`);
  await once(socket, "close");
  return Buffer.concat(parts)
    .toString()
    .replace(/\+OK\r\n$/, "")
    .replaceAll("\r\n", "\n")
    .trimEnd();
}
