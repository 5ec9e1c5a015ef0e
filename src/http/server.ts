/**
 * The HTTP API over a registry.
 *
 * The framework never routes by the client's URL: target.ts reads it once, and the framework sees `/<kind>` instead. Nor
 * does it see a Content-Type, because it would refuse or parse bodies that this registry takes as bytes.
 */
import type { IncomingMessage, Server } from "node:http";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
  LogController,
} from "fastify";
import type { AccessController, AccessRequest } from "../auth/access-controller.ts";
import { Budget } from "../lib/budget.ts";
import { NameInvalid, Unavailable } from "../oci/errors.ts";
import type { Action } from "./action.ts";
import { arrivalOf, remember } from "./arrival.ts";
import { authorize } from "./authorize.ts";
import { BodyAborted, discardRest } from "./body.ts";
import { answerClientError } from "./client-error.ts";
import { hangUp, streamOf } from "./connection.ts";
import { baseUrl, type Edge, type Exchange } from "./edge.ts";
import { toAnswer } from "./errors.ts";
import { type TrustedProxies, trustedAddress } from "./forwarding.ts";
import { type LimitOptions, Limits } from "./limits.ts";
import { aroundHandling, type RequestObserver } from "./observer.ts";
import { endHttp2, type ListeningOptions, openServer } from "./open-server.ts";
import { Refusals } from "./refusal.ts";
import { type Method, ROUTES, type Route, withoutWrites } from "./routes.ts";
import type { Target } from "./target.ts";
import { countRequest, hasTurn, takeTurn } from "./turn.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a request to this route needs the right to do. */
    action?: Action;
  }
}

/** Bytes of the manifests that are being received, beyond the first few of each. */
const BODY_MEMORY = 64 * 1024 * 1024;

/** Requests that may wait for such memory: far more only where the storage hangs. */
const BODY_WAITERS = 1000;

const toError = (): Error => new Unavailable("too many manifests are being received; try again in a moment");

export interface ServerOptions extends Omit<Edge, "bodies">, ListeningOptions {
  readonly log: FastifyBaseLogger;
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
}

const NO_LIMITS: LimitOptions = { uploads: 0, address: { rate: 0, burst: 0 }, user: { rate: 0, burst: 0 } };

export type HttpServer = FastifyInstance<Server>;

export function createServer(options: ServerOptions): HttpServer {
  const limits = options.limits instanceof Limits ? options.limits : new Limits(options.limits ?? NO_LIMITS);
  const server: HttpServer = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    serverFactory: (handler) => openServer(handler, options),
    rewriteUrl: (raw) => `/${remember(raw as IncomingMessage, options.prefix, options.trustedProxies).target.kind}`,
    clientErrorHandler: answerClientError,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  server.addHook("preClose", (done) => {
    endHttp2(server.server);
    done();
  });
  server.addHook("onRequest", (request, reply, done) => {
    countRequest(reply.raw);
    if (arrivalOf(request.raw).target.kind !== "root") reply.header(VERSION_HEADER, VERSION);
    limits.countAddress(trustedAddress(request.raw));
    done();
  });
  server.addHook("onResponse", (request, _reply, done) => {
    discardRest(request.raw, options.stall);
    done();
  });
  tellOfAnswers(server, options.observers ?? []);
  if (options.isHealthy) closeGate(server, options.isHealthy);
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  addRoutes(server, options, limits);
  return server;
}

function tellOfAnswers(server: HttpServer, observers: readonly RequestObserver[]): void {
  const tells = observers.flatMap(({ answered }) => answered ?? []);
  if (tells.length === 0) return;
  server.addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", () => {
      for (const answered of tells) answered(request, reply);
    });
    done();
  });
}

/** @see ops, section 2, "gate" */
function closeGate(server: HttpServer, isHealthy: () => boolean): void {
  server.addHook("onRequest", (_request, reply, done) => {
    if (isHealthy()) done();
    else sendError(new Unavailable("health check failed: please see /debug/health"), reply);
  });
}

const VERSION_HEADER = "docker-distribution-api-version";
const VERSION = "registry/2.0";

function addRoutes(server: HttpServer, options: ServerOptions, limits: Limits): void {
  const routes = options.readOnly ? withoutWrites(ROUTES) : ROUTES;
  server.addHook("onRoute", ({ url, config }) => {
    if (!config?.action) throw new Error(`the route ${url} names no action, so nobody could be kept from it`);
  });
  const edge: Edge = { ...options, bodies: new Budget(BODY_MEMORY, { limit: BODY_WAITERS, toError }) };
  const serving: Serving = { options, edge, limits, refusals: new Refusals(options.log) };
  const around = aroundHandling(options.observers ?? []);
  for (const [kind, methods] of Object.entries(routes)) {
    for (const [method, route] of Object.entries(methods)) {
      server.route({
        method: method as HTTPMethods,
        url: `/${kind}`,
        config: { action: route.action },
        handler: around
          ? (request, reply) => around(request, () => answer(serving, route, request, reply))
          : (request, reply) => answer(serving, route, request, reply),
      });
    }
  }
  // Not in a handler: before one, the framework has opinions of its own on methods that it knows.
  server.addHook("onRequest", (request, reply, done) => {
    if (!request.is404) return done();
    const { target } = arrivalOf(request.raw);
    const methods = target.kind === "unknown" ? undefined : routes[target.kind];
    if (methods) answerOtherMethod(options, methods, request, reply);
    else answerUnrouted(target, reply);
  });
}

interface Serving {
  readonly options: ServerOptions;
  readonly edge: Edge;
  readonly limits: Limits;
  readonly refusals: Refusals;
}

async function answer(
  { options, edge, limits, refusals }: Serving,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!hasTurn(reply.raw) && !(await mayBegin(options, request, reply))) return reply.hijack();
  const arrival = arrivalOf(request.raw);
  const { target, contentType } = arrival;
  arrival.action = route.action;
  addHeaders(options, target, reply);
  if (target.redirect !== undefined && !isPost(request, target)) return redirect(reply, target.redirect);
  try {
    const asked =
      options.access && authorize(options.access, toAccessRequest(edge, request, target), route.action, target);
    arrival.grant = asked instanceof Promise ? await asked : asked; // most controllers mostly know at once
  } catch (error) {
    arrival.refused = true;
    return sendError(refusals.tell(error, request), reply);
  }
  if (arrival.grant !== undefined) limits.countUser(arrival.grant.user);
  using _share = writesUpload(request, target) ? limits.beginUpload() : undefined;
  const exchange: Exchange = { target, request, reply, contentType, grant: arrival.grant };
  return await route.handle(edge, exchange);
}

/** A pipelined request in whose waiting time other rules came to count is left to its client, to be sent once more. */
async function mayBegin({ isRetired }: ServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  if (!(await takeTurn(reply.raw))) return false;
  if (!isRetired?.()) return true;
  hangUp(request.raw);
  return false;
}

function toAccessRequest(edge: Edge, request: FastifyRequest, target: Target): AccessRequest {
  const { headers } = request.raw;
  return { headers, address: trustedAddress(request.raw), base: () => baseUrl(edge, request, target) };
}

function writesUpload({ method }: FastifyRequest, { kind }: Target): boolean {
  return (kind === "uploads" || kind === "upload") && ["POST", "PATCH", "PUT"].includes(method);
}

/** A 301 turns a POST into a GET in many clients, so a missing slash is overlooked there. */
function isPost(request: FastifyRequest, target: Target): boolean {
  return request.method === "POST" && target.kind === "uploads";
}

/** A method that no handler takes: `OPTIONS` is told what there is, any other is refused with it. */
function answerOtherMethod(
  options: ServerOptions,
  methods: Readonly<Partial<Record<Method, Route>>>,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { target } = arrivalOf(request.raw);
  addHeaders(options, target, reply);
  reply.header("allow", Object.keys(methods).sort().join(", "));
  if (request.method === "OPTIONS") return reply.code(200).send();
  return sendText(reply.code(405), "Method not allowed\n");
}

function answerUnrouted(target: Target, reply: FastifyReply): FastifyReply {
  if (target.redirect !== undefined) return redirect(reply, target.redirect);
  if (target.problem !== undefined) return sendError(new NameInvalid(target.problem), reply);
  return sendText(reply.code(404), "404 page not found\n");
}

function addHeaders(options: ServerOptions, target: Target, reply: FastifyReply): void {
  if (target.kind === "root") return;
  const http2 = streamOf(reply.request.raw) !== undefined;
  for (const [name, values] of Object.entries(options.headers)) {
    if (!http2 || !OF_CONNECTION.test(name)) reply.header(name, [...values]);
  }
}

/** Has no place in HTTP/2. @see RFC 9113, section 8.2.2 */
const OF_CONNECTION = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;

function redirect(reply: FastifyReply, location: string): FastifyReply {
  return reply.code(301).header("location", location).send();
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.headers({ "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }).send(text);
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof BodyAborted) {
    reply.hijack();
    hangUp(request.raw);
    return reply;
  }
  return sendError(error, reply, request.log);
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

function sendError(error: unknown, reply: FastifyReply, log?: FastifyBaseLogger): FastifyReply {
  const { status, headers, body, errors, ours } = toAnswer(error);
  arrivalOf(reply.request.raw).errors = errors;
  if (ours) log?.error({ err: error }, "a request failed");
  for (const name of OF_CONTENT) reply.removeHeader(name);
  return reply.code(status).headers(headers).send(Buffer.from(body));
}
