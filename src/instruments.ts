/** What watches over a registry for the life of the process, whatever becomes of its configuration: metrics, traces, health. */
import type { Config } from "./config/config.ts";
import type { TracingConfig } from "./config/tracing.ts";
import { Health } from "./health/health.ts";
import { createDebugServer, type DebugPages, type DebugServer } from "./http/debug-server.ts";
import type { RequestObserver } from "./http/observer.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { composed, observedDriver } from "./storage/observed-driver.ts";
import type { TimeCache } from "./telemetry/cache-metrics.ts";
import type { Counted } from "./telemetry/counted.ts";
import { CountedSum } from "./telemetry/counted-sum.ts";
import { type Counts, debugVariables, type Usage } from "./telemetry/debug-variables.ts";
import { type LineWriter, writeLines } from "./telemetry/line-writer.ts";
import type { Log } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { Report } from "./telemetry/report.ts";
import type { RequestLog } from "./telemetry/request-log.ts";
import type { Traces } from "./telemetry/traces.ts";

export interface Surroundings {
  readonly log: Log;
  readonly requestLog: RequestLog;
  /** Of this program. */
  readonly version: string;
  /** Whether another process has the debug server, and asks this one for {@link Instruments.report}. */
  readonly isReporting?: boolean;
  /** Asked once. @returns undefined where nothing is traced. @throws {ConfigError} */
  readonly tracing: () => TracingConfig | undefined;
}

/** Disposal ends when everything that was told is written or sent. */
export interface Instruments extends AsyncDisposable {
  /** Of traces and metrics. */
  readonly observers: readonly RequestObserver[];
  readonly requestLog: RequestLog;
  readonly health: Health;
  /** Where lines of the access log go. */
  readonly accessLines: LineWriter;
  /** Not set where none is configured. It does not listen yet. */
  readonly debug: DebugServer | undefined;

  /** Told how long each call of a shared cache took; not set where nobody asks. */
  readonly timeCache: TimeCache | undefined;

  /** From now on this is the configuration that pages of the debug server tell of. */
  show(config: Config): void;

  /** What the debug server would tell. */
  report(): Promise<Report>;

  /** @returns a driver that owns `driver` */
  around(driver: StorageDriver): StorageDriver;

  /** Metrics of what another part counts. Disposal, when that part ends, leaves its counts. */
  tell(counted: Counted): Disposable;
}

/** @throws {ConfigError} */
export async function openInstruments(config: Config, surroundings: Surroundings): Promise<Instruments> {
  await using parts = new AsyncDisposableStack();
  const { log, requestLog, version } = surroundings;
  const health = parts.use(new Health((check, failure) => tellHealth(log, check, failure)));
  const counts = new CountedSum();
  const metrics = await openMetricsOf(config, version, { health, counts });
  const traces = await openTracesOf(surroundings);
  if (traces) parts.use(traces);
  const accessLines = parts.use(writeLines());
  let shown = config;
  const variables = (): object => variablesOf(shown, version, counts);
  const pages = { failures: () => health.failures(), variables };
  const debug = surroundings.isReporting ? undefined : openDebug(config, log, pages, metrics);
  if (debug) parts.use(debug);
  const owned = parts.move();
  return {
    observers: [...(traces ? [traces.observer] : []), ...(metrics ? [metrics.observer] : [])],
    requestLog,
    health,
    accessLines,
    debug,
    around: (driver) => wrapWith(driver, metrics, traces),
    timeCache: config.storage.cache.blobdescriptor === "redis" ? metrics?.timeCache() : undefined,
    show: (config) => {
      shown = config;
    },
    report: async () => ({
      metrics: await metrics?.report(),
      failures: health.failures(),
      cache: counts.cache,
      endpoints: counts.endpoints,
      memory: process.memoryUsage(),
      resources: process.resourceUsage(),
    }),
    tell: (counted) => metrics?.tell(counted) ?? counts.add(counted),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function tellHealth(log: Log, check: string, failure: string | undefined): void {
  if (failure === undefined) log.info({ check }, "health check succeeds again");
  else log.warn({ check, failure }, "health check fails: requests are answered 503");
}

async function openMetricsOf(
  { http }: Config,
  version: string,
  sources: { readonly health: Health; readonly counts: CountedSum },
): Promise<Metrics | undefined> {
  if (http.debug.addr === "" || !http.debug.prometheus.enabled) return undefined;
  const { openMetrics } = await import("./telemetry/metrics.ts");
  return openMetrics({ version, ...sources });
}

async function openTracesOf({ tracing, version, log }: Surroundings): Promise<Traces | undefined> {
  const config = tracing();
  if (!config) return undefined;
  const { openTraces } = await import("./telemetry/traces.ts");
  return openTraces({ ...config, version, warn: (message) => log.warn(message) });
}

function openDebug(
  { http }: Config,
  log: Log,
  pages: Pick<DebugPages, "failures" | "variables">,
  metrics: Metrics | undefined,
): DebugServer | undefined {
  const { addr, prometheus } = http.debug;
  if (addr === "") return undefined;
  const { path } = prometheus;
  if (metrics) log.info(`providing prometheus metrics on ${path}`);
  const page = metrics && { path, contentType: metrics.contentType, read: () => metrics.read() };
  return createDebugServer({ ...pages, metrics: page });
}

/** @param usage that of this process by default */
export function variablesOf(
  { notifications, redis, storage }: Config,
  version: string,
  counts: Counts,
  usage?: Usage,
): object {
  const endpoints = notifications.endpoints.filter(({ disabled }) => !disabled);
  const isUsed = storage.cache.blobdescriptor === "redis";
  return debugVariables({ version, endpoints, redis: redis && { ...redis, isUsed } }, counts, usage);
}

function wrapWith(driver: StorageDriver, metrics: Metrics | undefined, traces: Traces | undefined): StorageDriver {
  const name = PEERS_NAMES[driver.name] ?? driver.name;
  const arounds = [traces?.aroundStorage(name), metrics?.timeStorage(name)];
  const around = composed(arounds.filter((around) => around !== undefined));
  return around ? observedDriver(driver, around) : driver;
}

/** What dashboards call a driver whose name is another one here. */
const PEERS_NAMES: Readonly<Record<string, string>> = { s3: "s3aws" };
