/** Traces by OpenTelemetry: a span a request, and below it one a call of the storage. Loaded where they are wanted. */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import {
  CompositePropagator,
  setGlobalErrorHandler,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TracingConfig } from "../config/tracing.ts";
import { statusOf } from "../http/answered.ts";
import { isEncrypted } from "../http/connection.ts";
import type { Exchange } from "../http/exchange.ts";
import type { RequestObserver } from "../http/observer.ts";
import { requestInfo } from "../http/request-info.ts";
import { within } from "../lib/deadline.ts";
import type { AroundStorageCall, StorageCall } from "../storage/observed-driver.ts";

export interface Traces extends AsyncDisposable {
  readonly observer: RequestObserver;
  /** @param driver the name of the storage driver */
  aroundStorage(driver: string): AroundStorageCall;
}

export interface TracesOptions extends TracingConfig {
  readonly version: string;
  readonly warn: (message: string) => void;
}

/** How long disposal waits for a collector. ms */
const PATIENCE = 5000;

export function openTraces(options: TracesOptions): Traces {
  setGlobalErrorHandler(onceAMinute((error) => options.warn(`traces could not be sent: ${reasonOf(error)}`)));
  const provider = createProvider(options);
  const tracer = provider.getTracer("wharfinger", options.version);
  const current = new AsyncLocalStorage<Context>();
  return {
    observer: traceRequests(tracer, current),
    aroundStorage: (driver) => traceStorage(tracer, current, driver),
    async [Symbol.asyncDispose]() {
      await within(PATIENCE, provider.shutdown()).catch((error: unknown) => {
        options.warn(`the last traces could not be sent: ${reasonOf(error)}`);
      });
    },
  };
}

function createProvider({ exporter, version, ...sampling }: TracesOptions): TracerProvider {
  const ours = resourceFromAttributes({ "service.name": "distribution", "service.version": version });
  return new TracerProvider({
    resource: defaultResource()
      .merge(ours)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: createSampler(sampling),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: exporter === "otlp" ? new OTLPTraceExporter() : new ConsoleSpanExporter() }),
    ],
  });
}

function createSampler({ ratio, followsParent }: Pick<TracingConfig, "ratio" | "followsParent">): Sampler {
  const root = new TraceIdRatioBasedSampler(ratio);
  return followsParent ? new ParentBasedSampler({ root }) : root;
}

const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

function traceRequests(tracer: Tracer, current: AsyncLocalStorage<Context>): RequestObserver {
  const spans = new WeakMap<Exchange, Span>();
  return {
    around(exchange, handle) {
      const parent = propagator.extract(ROOT_CONTEXT, exchange.request.headers, defaultTextMapGetter);
      const path = exchange.target.url.split("?", 1)[0] ?? "";
      const attributes = requestAttributes(exchange, path);
      const span = tracer.startSpan(`${exchange.method} ${path}`, { kind: SpanKind.SERVER, attributes }, parent);
      spans.set(exchange, span);
      return current.run(trace.setSpan(parent, span), handle);
    },
    answered(exchange) {
      const span = spans.get(exchange);
      if (!span) return;
      const status = statusOf(exchange);
      span.setAttribute("http.response.status_code", status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function requestAttributes(exchange: Exchange, path: string): Attributes {
  const { id, method, host, address, userAgent } = requestInfo(exchange);
  return {
    "http.request.method": method,
    "url.scheme": isEncrypted(exchange.request) ? "https" : "http",
    "url.path": path,
    "server.address": host,
    "client.address": address,
    "user_agent.original": userAgent,
    "http.request.id": id,
  };
}

/** Of what requests do; what runs beside them would make a trace of every call. */
function traceStorage(tracer: Tracer, current: AsyncLocalStorage<Context>, driver: string): AroundStorageCall {
  return async (call, proceed) => {
    const parent = current.getStore();
    if (!parent) return await proceed();
    const span = tracer.startSpan(call.action, { attributes: storageAttributes(call, driver) }, parent);
    try {
      return await current.run(trace.setSpan(parent, span), proceed);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(error) });
      throw error;
    } finally {
      span.end();
    }
  };
}

const PREFIX = "io.cncf.distribution.storage";

function storageAttributes({ path, target, length, offset, append }: StorageCall, driver: string): Attributes {
  return {
    [`${PREFIX}.driver.name`]: driver,
    ...(target === undefined ? { [`${PREFIX}.path`]: path } : { [`${PREFIX}.source.path`]: path }),
    ...(target !== undefined && { [`${PREFIX}.dest.path`]: target }),
    ...(length !== undefined && { [`${PREFIX}.content.length`]: length }),
    ...(offset !== undefined && { [`${PREFIX}.offset`]: offset }),
    ...(append !== undefined && { [`${PREFIX}.append`]: append }),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function onceAMinute<T>(tell: (about: T) => void): (about: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (about) => {
    const now = performance.now();
    if (now - last < 60_000) return;
    last = now;
    tell(about);
  };
}
