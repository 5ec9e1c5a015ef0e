import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { type Mail, startMailServer } from "../../support/mail-server.ts";

/** What registries speak with: endpoints of notifications, things whose health is checked, a mail server. */
export interface Outside extends AsyncDisposable {
  /** `http://127.0.0.1:port`; what a path does is in {@link REACTIONS}. */
  readonly url: string;
  /** `host:port` where connections are taken. */
  readonly tcp: string;
  /** `host:port` where none is. */
  readonly closed: string;
  /** `host:port` */
  readonly smtp: string;
  readonly mails: readonly Mail[];
  /** User and password of each mail. */
  readonly logins: readonly string[];
  /** All connections of {@link tcp}. */
  readonly connections: () => number;
  /** All requests for a path. */
  readonly asked: (path: string) => readonly Asked[];
  /** Forgets what came so far. */
  clear(): void;
}

export interface Asked {
  readonly headers: IncomingMessage["headers"];
  readonly events: readonly TakenEvent[];
}

export interface TakenEvent {
  readonly action: string;
  readonly target: { readonly mediaType: string; readonly references?: readonly unknown[] | null };
}

type Reaction = (count: number, response: ServerResponse) => unknown;

const status =
  (code: number): Reaction =>
  (_, response) =>
    response.writeHead(code).end();

/** Many more failures than an endpoint has in a minute where it is left alone for a second after each. */
export const FAILURES = 100;

const REACTIONS: Readonly<Record<string, Reaction>> = {
  "/no-content": status(204),
  "/refuses": status(500),
  "/hangs": () => undefined,
  "/recovers": (count, response) => status(count > FAILURES ? 200 : 500)(count, response),
};

export async function startOutside(): Promise<Outside> {
  await using stack = new AsyncDisposableStack();
  const asked = new Map<string, Asked[]>();
  const mail = stack.use(await startMailServer({ users: true }));
  const web = createHttpServer(async (request, response) => {
    const { url = "", headers } = request;
    const known = asked.get(url) ?? [];
    asked.set(url, known);
    known.push({ headers, events: await eventsOf(request) });
    (REACTIONS[url] ?? status(200))(known.length, response);
  });
  stack.defer(async () => {
    web.closeAllConnections();
    web.close();
  });
  let connections = 0;
  const sink = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).destroy();
  });
  stack.defer(() => void sink.close());
  const unused = createServer();
  const [webAddress, tcp, closed] = [await listen(web), await listen(sink), await listen(unused)];
  unused.close();
  const [mails, logins] = [mail.mails as Mail[], mail.logins as string[]];
  const owned = stack.move();
  return {
    url: `http://${webAddress}`,
    tcp,
    closed,
    smtp: `127.0.0.1:${mail.port}`,
    mails,
    logins,
    connections: () => connections,
    asked: (path) => asked.get(path) ?? [],
    clear: () => {
      asked.clear();
      mails.length = 0;
      logins.length = 0;
      connections = 0;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function eventsOf(request: IncomingMessage): Promise<readonly TakenEvent[]> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  const text = Buffer.concat(parts).toString();
  return text === "" ? [] : (JSON.parse(text) as { readonly events: readonly TakenEvent[] }).events;
}
