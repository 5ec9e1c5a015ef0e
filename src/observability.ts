/** What watches over a registry, as its configuration wants it: logs of requests, metrics, traces, health, the audit log. */
import { parseAddress } from "./config/address.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import type { HealthConfig } from "./config/health-config.ts";
import type { TracingConfig } from "./config/tracing.ts";
import { fileCheck } from "./health/file-check.ts";
import { Health } from "./health/health.ts";
import { httpCheck } from "./health/http-check.ts";
import { storageCheck } from "./health/storage-check.ts";
import { tcpCheck } from "./health/tcp-check.ts";
import { accessLine } from "./http/access-log.ts";
import { auditLine } from "./http/audit.ts";
import { createDebugServer, type DebugServer } from "./http/debug-server.ts";
import { maskedUrl } from "./http/masked-url.ts";
import type { RequestObserver } from "./http/observer.ts";
import { requestLines } from "./http/request-line.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { composed, observedDriver } from "./storage/observed-driver.ts";
import { type AuditLog, openAuditLog } from "./telemetry/audit-log.ts";
import type { TimeCache } from "./telemetry/cache-metrics.ts";
import type { Counted } from "./telemetry/counted.ts";
import { debugVariables } from "./telemetry/debug-variables.ts";
import { writeLines } from "./telemetry/line-writer.ts";
import type { Log } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { RequestLog } from "./telemetry/request-log.ts";
import type { Traces } from "./telemetry/traces.ts";

export interface Surroundings {
  readonly log: Log;
  readonly requestLog: RequestLog;
  /** Of this program. */
  readonly version: string;
  /** Asked once. @returns undefined where nothing is traced. @throws {ConfigError} */
  readonly tracing: () => TracingConfig | undefined;
}

/** Disposal ends when everything that was told is written or sent. */
export interface Observability extends AsyncDisposable {
  readonly observers: readonly RequestObserver[];
  /** Not set where nothing is checked. */
  readonly isHealthy: (() => boolean) | undefined;
  /** Not set where none is configured. It does not listen yet. */
  readonly debug: DebugServer | undefined;

  /** To be called once. @returns a driver that owns `driver` */
  around(driver: StorageDriver): StorageDriver;

  /** Begins to check what the configuration lists. @param driver with nothing around it that gives up before it does */
  check(driver: StorageDriver): void;

  /** Metrics of what other parts count. To be called once for each of them. */
  tell(counted: Counted): void;

  /** Told how long each call of a shared cache took; not set where nobody asks. */
  readonly timeCache: TimeCache | undefined;

  /** Goes on in new files where those so far were moved away. */
  reopenFiles(): void;
}

/** @throws {ConfigError} */
export async function openObservability(config: Config, surroundings: Surroundings): Promise<Observability> {
  await using parts = new AsyncDisposableStack();
  const { log, version } = surroundings;
  const health = parts.use(new Health((check, failure) => tellHealth(log, check, failure)));
  const metrics = await openMetricsOf(config, version, health);
  const traces = await openTracesOf(surroundings);
  if (traces) parts.use(traces);
  const audit = await openAuditOf(config, log);
  if (audit) parts.use(audit);
  const accessLog = config.log.accesslog.disabled ? undefined : parts.use(writeLines());
  const counted: Counted = {};
  const debug = openDebug(config, surroundings, health, metrics, counted);
  if (debug) parts.use(debug);
  const owned = parts.move();
  return {
    observers: [
      ...(traces ? [traces.observer] : []),
      ...(metrics ? [metrics.observer] : []),
      observeWith((request, reply, now) => surroundings.requestLog(requestLines(request, reply), now)),
      ...(accessLog ? [observeWith((request, reply, now) => accessLog.write(accessLine(request, reply, now)))] : []),
      ...(audit ? [observeWith((...seen) => writeIfAny(audit, auditLine(...seen, config.wharfinger.audit)))] : []),
    ],
    isHealthy: hasChecks(config.health) ? () => health.isHealthy() : undefined,
    debug,
    around: (driver) => wrapWith(driver, metrics, traces),
    check: (driver) => beginChecks(config, health, driver),
    tell: (part) => {
      Object.assign(counted, part);
      metrics?.tell(part);
    },
    timeCache: config.storage.cache.blobdescriptor === "redis" ? metrics?.timeCache() : undefined,
    reopenFiles: () => audit?.reopen(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Tell = (...seen: readonly [...Parameters<NonNullable<RequestObserver["answered"]>>, now: Date]) => void;

function observeWith(tell: Tell): RequestObserver {
  return { answered: (request, reply) => tell(request, reply, new Date()) };
}

function writeIfAny(audit: AuditLog, line: string | undefined): void {
  if (line !== undefined) audit.write(line);
}

function tellHealth(log: Log, check: string, failure: string | undefined): void {
  if (failure === undefined) log.info({ check }, "health check succeeds again");
  else log.warn({ check, failure }, "health check fails: requests are answered 503");
}

async function openMetricsOf({ http }: Config, version: string, health: Health): Promise<Metrics | undefined> {
  if (http.debug.addr === "" || !http.debug.prometheus.enabled) return undefined;
  const { openMetrics } = await import("./telemetry/metrics.ts");
  return openMetrics({ version, health });
}

async function openTracesOf({ tracing, version, log }: Surroundings): Promise<Traces | undefined> {
  const config = tracing();
  if (!config) return undefined;
  const { openTraces } = await import("./telemetry/traces.ts");
  return openTraces({ ...config, version, warn: (message) => log.warn(message) });
}

async function openAuditOf({ wharfinger }: Config, log: Log): Promise<AuditLog | undefined> {
  const { file } = wharfinger.audit;
  if (file === undefined) return undefined;
  try {
    return await openAuditLog(file, (problem) => log.error(problem));
  } catch (cause) {
    throw new ConfigError("wharfinger.audit.file", `the file cannot be written: ${String(cause)}`, { cause });
  }
}

function openDebug(
  { http, notifications, redis }: Config,
  { version, log }: Surroundings,
  health: Health,
  metrics: Metrics | undefined,
  counted: Counted,
): DebugServer | undefined {
  const { addr, prometheus } = http.debug;
  if (addr === "") return undefined;
  const { path } = prometheus;
  if (metrics) log.info(`providing prometheus metrics on ${path}`);
  const page = metrics && { path, contentType: metrics.contentType, read: () => metrics.read() };
  const endpoints = notifications.endpoints.filter(({ disabled }) => !disabled);
  const variables = (): object => debugVariables({ version, endpoints, redis }, counted);
  return createDebugServer({ failures: () => health.failures(), variables, metrics: page });
}

function wrapWith(driver: StorageDriver, metrics: Metrics | undefined, traces: Traces | undefined): StorageDriver {
  const name = PEERS_NAMES[driver.name] ?? driver.name;
  const arounds = [traces?.aroundStorage(name), metrics?.timeStorage(name)];
  const around = composed(arounds.filter((around) => around !== undefined));
  return around ? observedDriver(driver, around) : driver;
}

/** What dashboards call a driver whose name is another one here. */
const PEERS_NAMES: Readonly<Record<string, string>> = { s3: "s3aws" };

function hasChecks({ storagedriver, file, http, tcp }: HealthConfig): boolean {
  return storagedriver.enabled || file.length + http.length + tcp.length > 0;
}

function beginChecks({ health, storage }: Config, watch: Health, driver: StorageDriver): void {
  const { storagedriver, file, http, tcp } = health;
  if (storagedriver.enabled) watch.watch(storageCheck(driver, storage.driver.name), storagedriver);
  for (const one of file) watch.watch(fileCheck(one.file), one);
  for (const one of http) watch.watch(httpCheck({ ...one, name: maskedUrl(one.uri) }), one);
  for (const one of tcp) watch.watch(tcpCheck({ addr: one.addr, ...parseAddress(one.addr) }), one);
}
