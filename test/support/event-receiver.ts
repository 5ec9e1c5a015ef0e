import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { SelfSigned } from "./self-signed.ts";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What an endpoint does with an event: an answer's status, or its own way with the connection. */
export type Reaction = number | ((request: IncomingMessage, response: ServerResponse) => void);

/** An endpoint of notifications on 127.0.0.1. It takes everything unless told otherwise. */
export interface EventReceiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All that came, also what was not taken. */
  readonly requests: readonly Received[];
  /** What was answered with 200, parsed, in the order it came. */
  readonly events: readonly ReceivedEvent[];
  /** From now on, for the `count`th request since the start. */
  react(reaction: (count: number) => Reaction): void;
  /** Resolves when `met` holds, which is looked at after each request. */
  has(met: (receiver: EventReceiver) => boolean): Promise<void>;
}

export interface ReceivedEvent {
  readonly id: string;
  readonly action: string;
  readonly target: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, unknown>>;
  readonly actor: Readonly<Record<string, unknown>>;
  readonly source: Readonly<Record<string, unknown>>;
}

/** How long {@link EventReceiver.has} waits. ms */
const DEADLINE = 30_000;

/**
 * @param port a free one by default
 * @param pair given: over TLS
 */
export async function startReceiver(port = 0, pair?: SelfSigned): Promise<EventReceiver> {
  const requests: Received[] = [];
  const events: ReceivedEvent[] = [];
  let react: (count: number) => Reaction = () => 200;
  let look = (): void => undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await readRequest(request);
    requests.push(received);
    const reaction = react(requests.length);
    if (reaction === 200) events.push(...(JSON.parse(received.body) as { events: ReceivedEvent[] }).events);
    if (typeof reaction === "function") reaction(request, response);
    else response.writeHead(reaction).end();
    look();
  };
  const server = pair ? createHttpsServer({ ...pair }, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  const receiver: EventReceiver = {
    url: `${pair ? "https" : "http"}://127.0.0.1:${address.port}/events`,
    port: address.port,
    requests,
    events,
    react: (reaction) => {
      react = reaction;
    },
    has: async (met) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const deadline = setTimeout(() => reject(new Error(`in vain: ${requests.length} requests came`)), DEADLINE);
      look = () => met(receiver) && resolve();
      look();
      await promise.finally(() => clearTimeout(deadline));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

async function readRequest(request: IncomingMessage): Promise<Received> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { method = "", url = "", headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders, body: Buffer.concat(parts).toString() };
}
