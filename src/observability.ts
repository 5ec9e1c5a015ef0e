/** What watches over a registry as one configuration wants it: logs of requests, health checks, the audit log. */
import { parseAddress } from "./config/address.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import type { HealthConfig } from "./config/health-config.ts";
import type { Check } from "./health/check.ts";
import { checkNames } from "./health/check-names.ts";
import { fileCheck } from "./health/file-check.ts";
import type { CheckSchedule } from "./health/health.ts";
import { httpCheck } from "./health/http-check.ts";
import { storageCheck } from "./health/storage-check.ts";
import { tcpCheck } from "./health/tcp-check.ts";
import { accessLine } from "./http/access-log.ts";
import { auditLine } from "./http/audit.ts";
import { BoundedLines } from "./http/bounded-lines.ts";
import type { Exchange } from "./http/exchange.ts";
import type { RequestObserver } from "./http/observer.ts";
import type { Instruments } from "./instruments.ts";
import type { SharedPart, SharedParts } from "./lib/shared-parts.ts";
import type { StorageDriver } from "./storage/driver.ts";
import { type AuditLog, openAuditLog } from "./telemetry/audit-log.ts";
import type { Log } from "./telemetry/log.ts";
import type { RequestLog } from "./telemetry/request-log.ts";

export interface ObservabilityParts {
  readonly log: Log;
  readonly instruments: Instruments;
  readonly shared: SharedParts;
}

/** Disposal ends when everything that was told is written. */
export interface Observability extends AsyncDisposable {
  readonly observers: readonly RequestObserver[];
  /** Not set where nothing is checked. */
  readonly isHealthy: (() => boolean) | undefined;

  /** Goes on in new files where those so far were moved away. */
  reopenFiles(): void;
}

/** @throws {ConfigError} */
export async function openObservability(config: Config, parts: ObservabilityParts): Promise<Observability> {
  const { observers, requestLog, accessLines, health } = parts.instruments;
  const audit = await takeAudit(config, parts);
  const lines = new BoundedLines();
  const tellers: ((exchange: Exchange) => void)[] = [(exchange) => tellLog(requestLog, lines, exchange)];
  if (!config.log.accesslog.disabled) {
    tellers.push((exchange) => accessLines.write(accessLine(exchange, new Date())));
  }
  if (audit) {
    tellers.push((exchange) => writeIfAny(audit.value, auditLine(exchange, new Date(), config.wharfinger.audit)));
  }
  return {
    observers: [...observers, ...tellers.map((answered) => ({ answered }))],
    isHealthy: hasChecks(config.health) ? () => health.isHealthy() : undefined,
    reopenFiles: () => audit?.value.reopen(),
    [Symbol.asyncDispose]: async () => {
      await audit?.[Symbol.asyncDispose]();
    },
  };
}

/** A line that nobody will read is not made: they are a good part of what a small answer costs. */
function tellLog(log: RequestLog, lines: BoundedLines, exchange: Exchange): void {
  if (exchange.errors || log.takesInfo()) log.write(lines.of(exchange), new Date());
}

function writeIfAny(audit: AuditLog, line: string | undefined): void {
  if (line !== undefined) audit.write(line);
}

/** @throws {ConfigError} */
async function takeAudit({ wharfinger }: Config, parts: ObservabilityParts): Promise<SharedPart<AuditLog> | undefined> {
  const { file } = wharfinger.audit;
  if (file === undefined) return undefined;
  return await parts.shared.take("audit log", file, async (stack) => stack.use(await openAudit(file, parts.log)));
}

async function openAudit(file: string, log: Log): Promise<AuditLog> {
  try {
    return await openAuditLog(file, (problem) => log.error(problem));
  } catch (cause) {
    throw new ConfigError("wharfinger.audit.file", `the file cannot be written: ${String(cause)}`, { cause });
  }
}

function hasChecks({ storagedriver, file, http, tcp }: HealthConfig): boolean {
  return storagedriver.enabled || file.length + http.length + tcp.length > 0;
}

/**
 * Begins to check what the configuration lists. Of a check that runs already, what it found counts on.
 * The storage is asked with nothing around it that gives up before it does.
 */
export async function beginChecks(
  { health, storage }: Config,
  { value, mark }: SharedPart<{ readonly bare: StorageDriver }>,
  { shared, instruments }: ObservabilityParts,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { storagedriver, file, http, tcp } = health;
  const begin = async (check: Check, schedule: CheckSchedule, about: unknown): Promise<void> => {
    const watch = async (own: AsyncDisposableStack) => own.use(instruments.health.watch(check, schedule));
    stack.use(await shared.take("health check", [check.name, schedule, about], watch));
  };
  if (storagedriver.enabled) await begin(storageCheck(value.bare, storage.driver.name), storagedriver, mark);
  for (const one of file) await begin(fileCheck(one.file), one, "file");
  const names = checkNames(http.map(({ uri }) => uri));
  for (const [index, one] of http.entries()) await begin(httpCheck({ ...one, name: names[index] ?? "…" }), one, "http");
  for (const one of tcp) await begin(tcpCheck({ addr: one.addr, ...parseAddress(one.addr) }), one, "tcp");
  return stack.move();
}
