import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { SelfSigned } from "./self-signed.ts";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What an endpoint does with an event: an answer's status, at once or after so many ms, or its own way with the connection. */
export type Reaction =
  | number
  | { readonly status: number; readonly after: number }
  | ((request: IncomingMessage, response: ServerResponse) => void);

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
  /** Resolves when `met` holds, which is looked at after each request; rejects when nothing new has come for a good while. */
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

export interface ReceiverOptions {
  /** A free one by default. */
  readonly port?: number;
  /** Whether only ids and actions are kept of what comes: for more than fits into memory. */
  readonly brief?: boolean;
  /** Given: over TLS. */
  readonly pair?: SelfSigned;
}

/** How long {@link EventReceiver.has} waits for an event that it does not know; one that comes again is none. ms */
const PATIENCE = 60_000;

export async function startReceiver({ port = 0, brief = false, pair }: ReceiverOptions = {}): Promise<EventReceiver> {
  const requests: Received[] = [];
  const events: ReceivedEvent[] = [];
  let last = "";
  let react: (count: number) => Reaction = () => 200;
  let look = (_isNew: boolean): void => undefined;
  const take = (body: string): void => {
    const { events: taken } = JSON.parse(body) as { events: ReceivedEvent[] };
    events.push(...(brief ? taken.map(withoutContent) : taken));
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await readRequest(request);
    requests.push(brief ? { ...received, body: "" } : received);
    const isNew = received.body !== last;
    last = received.body;
    const reaction = react(requests.length);
    if (typeof reaction === "function") reaction(request, response);
    else {
      const { status, after } = typeof reaction === "number" ? { status: reaction, after: 0 } : reaction;
      if (after > 0) await pause(after);
      if (status === 200) take(received.body);
      response.writeHead(status).end();
    }
    look(isNew);
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
      const told = (): string => `${requests.length} requests came, ${events.length} events were taken`;
      const deadline = setTimeout(() => reject(new Error(`in vain, and nothing new comes: ${told()}`)), PATIENCE);
      look = (isNew) => {
        if (isNew) deadline.refresh();
        if (met(receiver)) resolve();
      };
      look(false);
      await promise.finally(() => clearTimeout(deadline));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

function withoutContent({ id, action }: ReceivedEvent): ReceivedEvent {
  return { id, action, target: {}, request: {}, actor: {}, source: {} };
}

async function readRequest(request: IncomingMessage): Promise<Received> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { method = "", url = "", headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders, body: Buffer.concat(parts).toString() };
}
