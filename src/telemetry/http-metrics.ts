import type { IncomingMessage } from "node:http";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { sentBytes, statusOf } from "../http/answered.ts";
import type { Exchange } from "../http/exchange.ts";
import type { RequestObserver } from "../http/observer.ts";
import type { TargetKind } from "../http/target.ts";
import { SECONDS, SIZES } from "./buckets.ts";

/** What the peers call our routes. What is no route of the API is not measured. */
const HANDLERS: Readonly<Partial<Record<TargetKind, string>>> = {
  base: "base",
  catalog: "catalog",
  tags: "tags",
  manifest: "manifest",
  blob: "blob",
  uploads: "blob_upload",
  upload: "blob_upload_chunk",
  referrers: "referrers",
};

/** Any other is `unknown`: clients make names up. */
const METHODS: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "NOTIFY"],
]);

/** @see ops, section 4 */
export function measureRequests(registry: Registry): RequestObserver {
  const metrics = createMetrics(registry);
  const handlers = new Map(
    Object.entries(HANDLERS).map(([kind, handler]) => [kind, new HandlerMetrics(metrics, handler)] as const),
  );
  new Gauge({
    name: "registry_http_in_flight_requests",
    help: "The in-flight HTTP requests",
    labelNames: ["handler"],
    registers: [registry],
    collect() {
      for (const { name, inFlight } of handlers.values()) this.set({ handler: name }, inFlight);
    },
  });
  return {
    begun({ target }) {
      const handler = handlers.get(target.kind);
      if (handler) handler.inFlight += 1;
    },
    ended({ target }) {
      const handler = handlers.get(target.kind);
      if (handler) handler.inFlight -= 1;
    },
    answered: (exchange) => handlers.get(exchange.target.kind)?.observe(exchange),
  };
}

type Metrics = ReturnType<typeof createMetrics>;

function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "registry_http_requests_total",
      help: "Total number of HTTP requests made.",
      labelNames: ["code", "handler", "method"],
      registers,
    }),
    duration: new Histogram({
      name: "registry_http_request_duration_seconds",
      help: "The HTTP request latencies in seconds.",
      labelNames: ["handler", "method"],
      buckets: [...SECONDS],
      registers,
    }),
    requestSize: new Histogram({
      name: "registry_http_request_size_bytes",
      help: "The HTTP request sizes in bytes.",
      labelNames: ["handler"],
      buckets: [...SIZES],
      registers,
    }),
    responseSize: new Histogram({
      name: "registry_http_response_size_bytes",
      help: "The HTTP response sizes in bytes.",
      labelNames: ["handler"],
      buckets: [...SIZES],
      registers,
    }),
  };
}

/** Children are found once: a request makes no labels. */
class HandlerMetrics {
  readonly name: string;
  inFlight = 0;
  readonly #metrics: Metrics;
  readonly #requestSize: Histogram.Internal<"handler">;
  readonly #responseSize: Histogram.Internal<"handler">;
  readonly #methods = new Map<string, MethodMetrics>();

  constructor(metrics: Metrics, name: string) {
    this.name = name;
    this.#metrics = metrics;
    this.#requestSize = metrics.requestSize.labels(name);
    this.#responseSize = metrics.responseSize.labels(name);
  }

  observe(exchange: Exchange): void {
    const { request, method, time } = exchange;
    this.#requestSize.observe(requestBytes(request));
    this.#responseSize.observe(sentBytes(exchange));
    this.#method(method).observe((performance.now() - time) / 1000, statusOf(exchange));
  }

  #method(method: string): MethodMetrics {
    const name = METHODS.has(method) ? method : "unknown";
    let metrics = this.#methods.get(name);
    if (!metrics) {
      metrics = new MethodMetrics(this.#metrics, this.name, name.toLowerCase());
      this.#methods.set(name, metrics);
    }
    return metrics;
  }
}

class MethodMetrics {
  readonly #duration: Histogram.Internal<"handler" | "method">;
  readonly #codes = new Map<number, Counter.Internal>();
  readonly #toCode: (code: number) => Counter.Internal;

  constructor({ requests, duration }: Metrics, handler: string, method: string) {
    this.#duration = duration.labels(handler, method);
    this.#toCode = (code) => requests.labels(String(code), handler, method);
  }

  observe(seconds: number, code: number): void {
    this.#duration.observe(seconds);
    let counter = this.#codes.get(code);
    if (!counter) {
      counter = this.#toCode(code);
      this.#codes.set(code, counter);
    }
    counter.inc();
  }
}

/** About: the head has some separators more. */
function requestBytes({ method = "", url = "", rawHeaders, headers }: IncomingMessage): number {
  let bytes = method.length + url.length + Number(headers["content-length"] ?? 0);
  for (const part of rawHeaders) bytes += part.length;
  return bytes;
}
