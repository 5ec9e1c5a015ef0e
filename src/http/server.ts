/**
 * The HTTP API over a registry.
 *
 * A request's URL is read once, by target.ts, and its kind is the route: access control, handlers and logs have the same
 * reading of it. A framework took a third of a request's time for what is left to do here (decisions/0024).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AccessController } from "../auth/access-controller.ts";
import { Budget } from "../lib/budget.ts";
import { NameInvalid, type RegistryError, Unavailable } from "../oci/errors.ts";
import { ExchangeAccess } from "./access-request.ts";
import { authorize } from "./authorize.ts";
import { BodyAborted, discardRest, hasBody } from "./body.ts";
import { hangUp, streamOf } from "./connection.ts";
import type { Edge, EdgeLog } from "./edge.ts";
import { type ErrorAnswer, toAnswer } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { believeOnly, type TrustedProxies, trustedAddress } from "./forwarding.ts";
import { type LimitOptions, Limits } from "./limits.ts";
import { observeWithAll, type RequestObserver } from "./observer.ts";
import { Refusals } from "./refusal.ts";
import type { EndAnswer, Reply } from "./reply.ts";
import { checkActions, type Method, ROUTES, type Route, type Routes, withoutWrites } from "./routes.ts";
import type { Target } from "./target.ts";
import { countAnswer, countRequest, hasTurn, takeTurn } from "./turn.ts";

/** Bytes of the manifests that are being received, beyond the first few of each. */
const BODY_MEMORY = 64 * 1024 * 1024;

/** Requests that may wait for such memory: far more only where the storage hangs. */
const BODY_WAITERS = 1000;

const sick = (): RegistryError => new Unavailable("health check failed: please see /debug/health");
const toError = (): Error => new Unavailable("too many manifests are being received; try again in a moment");

export interface ServerOptions extends Omit<Edge, "bodies"> {
  readonly log: EdgeLog;
  /** Begins and ends with `/`. */
  readonly prefix: string;
  /** `http.headers`: on every routed answer. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Who may do what; not set: everybody everything. */
  readonly access?: AccessController | undefined;
  /** `storage.maintenance.readonly` */
  readonly readOnly: boolean;
  /** {@link Limits} that are there already go on counting. */
  readonly limits?: LimitOptions | Limits | undefined;
  /** Whom to believe what they tell of clients; undefined: everybody, as far as the peers do. */
  readonly trustedProxies?: TrustedProxies | undefined;
  /** Told of every request, in this order. */
  readonly observers?: readonly RequestObserver[] | undefined;
  /** Whether other rules than these count by now, for requests that have not begun. */
  readonly isRetired?: (() => boolean) | undefined;
  /** While it says no, every request is answered 503; not set: always healthy. */
  readonly isHealthy?: (() => boolean) | undefined;
  /** What ends answers of HTTP/1; not set: at once. */
  readonly end?: EndAnswer | undefined;
}

const NO_LIMITS: LimitOptions = { uploads: 0, address: { rate: 0, burst: 0 }, user: { rate: 0, burst: 0 } };

/** @returns what is to get every request */
export function createApi(options: ServerOptions): RequestListener {
  const api = new Api(options);
  return (request, response) => api.answer(request, response);
}

class Api {
  readonly #options: ServerOptions;
  readonly #edge: Edge;
  readonly #limits: Limits;
  readonly #refusals: Refusals;
  readonly #observer: RequestObserver;
  readonly #routes: Routes;

  constructor(options: ServerOptions) {
    const { limits = NO_LIMITS, log, readOnly, observers = [] } = options;
    this.#options = options;
    this.#edge = { ...options, bodies: new Budget(BODY_MEMORY, { limit: BODY_WAITERS, toError }) };
    this.#limits = limits instanceof Limits ? limits : new Limits(limits);
    this.#refusals = new Refusals(log);
    this.#observer = observeWithAll(observers);
    this.#routes = readOnly ? withoutWrites(ROUTES) : ROUTES;
    checkActions(this.#routes);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { prefix, trustedProxies, stall, end } = this.#options;
    if (trustedProxies) believeOnly(request, trustedProxies);
    const exchange = new Exchange(request, response, prefix, end);
    const turns = countRequest(request);
    this.#observer.arrived?.(exchange);
    response.on("close", () => {
      countAnswer(turns);
      this.#observer.answered?.(exchange);
    });
    if (hasBody(request)) response.once("finish", () => discardRest(request, stall));
    this.#attempt(exchange, () => this.#route(exchange));
  }

  /** Answers with what `work` throws. Nothing is waited for that is there at once. */
  #attempt(exchange: Exchange, work: () => Promise<void> | undefined): void {
    try {
      work()?.catch((error: unknown) => this.#fail(exchange, error));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #route(exchange: Exchange): Promise<void> | undefined {
    const { target, reply, method } = exchange;
    if (target.kind !== "root") reply.header(VERSION_HEADER, VERSION);
    if (this.#limits.countsAddresses) this.#limits.countAddress(trustedAddress(exchange.request));
    if (this.#options.isHealthy?.() === false) return sendError(exchange, sick());
    if (target.kind === "unknown") return answerUnrouted(exchange);
    const routes = this.#routes[target.kind];
    const route = routes[method as Method];
    if (route === undefined) return this.#answerOtherMethod(exchange, routes);
    this.#observer.begun?.(exchange);
    const { around } = this.#observer;
    const handle = (): Promise<void> | undefined => this.#inTurn(exchange, route);
    return this.#ending(exchange, around ? () => around(exchange, handle) : handle);
  }

  #ending(exchange: Exchange, handle: () => Promise<void> | undefined): Promise<void> | undefined {
    const { ended } = this.#observer;
    if (!ended) return handle();
    let isRunning = false;
    try {
      const running = handle();
      isRunning = running !== undefined;
      // `finally` makes two promises more: 0.3 µs of a request's 50 ("HEAD blob" of `npm run bench`)
      return running?.then(
        () => ended(exchange),
        (error: unknown) => {
          ended(exchange);
          throw error;
        },
      );
    } finally {
      if (!isRunning) ended(exchange);
    }
  }

  #inTurn(exchange: Exchange, route: Route): Promise<void> | undefined {
    return hasTurn(exchange.reply.response) ? this.#handle(exchange, route) : this.#wait(exchange, route);
  }

  /** A pipelined request in whose waiting time other rules came to count is left to its client, to be sent once more. */
  async #wait(exchange: Exchange, route: Route): Promise<void> {
    if (!(await takeTurn(exchange.reply.response))) return;
    if (this.#options.isRetired?.()) return hangUp(exchange.request);
    await this.#handle(exchange, route);
  }

  #handle(exchange: Exchange, route: Route): Promise<void> | undefined {
    const { target, method, reply } = exchange;
    exchange.action = route.action;
    this.#addHeaders(exchange);
    if (target.redirect !== undefined && !isPost(method, target)) return redirect(reply, target.redirect);
    const asked = this.#authorize(exchange, route);
    return asked instanceof Promise ? asked.then(() => this.#run(exchange, route)) : this.#run(exchange, route);
  }

  /** Most controllers mostly know at once. */
  #authorize(exchange: Exchange, { action }: Route): Promise<void> | undefined {
    const { access } = this.#options;
    if (!access) return undefined;
    try {
      const asked = authorize(access, new ExchangeAccess(this.#edge, exchange), action, exchange.target);
      if (!(asked instanceof Promise)) {
        exchange.grant = asked;
        return undefined;
      }
      return asked.then(
        (grant) => {
          exchange.grant = grant;
        },
        (error: unknown) => this.#refuse(exchange, error),
      );
    } catch (error) {
      this.#refuse(exchange, error);
    }
  }

  #refuse(exchange: Exchange, error: unknown): never {
    exchange.refused = true;
    throw this.#refusals.tell(error, exchange);
  }

  #run(exchange: Exchange, route: Route): Promise<void> | undefined {
    const { grant, method, target } = exchange;
    if (grant !== undefined) this.#limits.countUser(grant.user);
    return writesUpload(method, target) ? this.#upload(exchange, route) : route.handle(this.#edge, exchange);
  }

  async #upload(exchange: Exchange, route: Route): Promise<void> {
    using _share = this.#limits.beginUpload();
    await route.handle(this.#edge, exchange);
  }

  /** A method that no handler takes: `OPTIONS` is told what there is, any other is refused with it. */
  #answerOtherMethod(exchange: Exchange, routes: Readonly<Partial<Record<Method, Route>>>): undefined {
    const { reply, method } = exchange;
    this.#addHeaders(exchange);
    reply.header("allow", Object.keys(routes).sort().join(", "));
    return method === "OPTIONS" ? reply.send() : sendText(reply.code(405), "Method not allowed\n");
  }

  #addHeaders({ target, request, reply }: Exchange): void {
    if (target.kind === "root") return;
    const { headers } = this.#options;
    for (const name in headers) {
      if (streamOf(request) && OF_CONNECTION.test(name)) continue;
      reply.removeHeader(name);
      reply.addHeaders(name, headers[name] ?? []);
    }
  }

  #fail(exchange: Exchange, error: unknown): void {
    if (error instanceof BodyAborted) hangUp(exchange.request);
    else if (exchange.reply.response.headersSent) this.#drop(exchange, error);
    else this.#answerError(exchange, error);
  }

  #answerError(exchange: Exchange, error: unknown): void {
    try {
      const answer = toAnswer(error);
      if (answer.ours && !exchange.refused) this.#options.log.error({ err: error }, "a request failed");
      sendAnswer(exchange, answer);
    } catch (failure) {
      this.#drop(exchange, failure);
    }
  }

  #drop({ request }: Exchange, error: unknown): void {
    this.#options.log.error({ err: error }, "an answer could not be sent; the connection was dropped");
    hangUp(request, { ours: true });
  }
}

const VERSION_HEADER = "docker-distribution-api-version";
const VERSION = "registry/2.0";

/** Has no place in HTTP/2. @see RFC 9113, section 8.2.2 */
const OF_CONNECTION = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;

function writesUpload(method: string, { kind }: Target): boolean {
  return (kind === "uploads" || kind === "upload") && (method === "POST" || method === "PATCH" || method === "PUT");
}

/** A 301 turns a POST into a GET in many clients, so a missing slash is overlooked there. */
function isPost(method: string, { kind }: Target): boolean {
  return method === "POST" && kind === "uploads";
}

function answerUnrouted(exchange: Exchange): undefined {
  const { target, reply } = exchange;
  if (target.redirect !== undefined) return redirect(reply, target.redirect);
  if (target.problem !== undefined) return sendError(exchange, new NameInvalid(target.problem));
  if (exchange.method === "OPTIONS" && exchange.request.url === "*") return reply.send(); // the server as a whole
  return sendText(reply.code(404), "404 page not found\n");
}

function redirect(reply: Reply, location: string): undefined {
  return reply.code(301).header("location", location).send();
}

function sendText(reply: Reply, text: string): undefined {
  return reply.headers({ "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }).send(text);
}

/** Headers that a handler may have set for content that is not sent after all. */
const OF_CONTENT = [
  "etag",
  "cache-control",
  "accept-ranges",
  "content-length",
  "content-range",
  "docker-content-digest",
] as const;

function sendError(exchange: Exchange, error: RegistryError): undefined {
  sendAnswer(exchange, toAnswer(error));
}

function sendAnswer(exchange: Exchange, { status, headers, body, errors }: ErrorAnswer): void {
  const { reply } = exchange;
  exchange.errors = errors;
  for (const name of OF_CONTENT) reply.removeHeader(name);
  reply.code(status).headers(headers).send(body);
}
