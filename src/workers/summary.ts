import type { Config } from "../config/config.ts";
import { createDebugServer, type DebugPages, type DebugServer } from "../http/debug-server.ts";
import { variablesOf } from "../instruments.ts";
import type { Log } from "../telemetry/log.ts";
import type { ReportSum } from "../telemetry/report-sum.ts";
import type { Crew } from "./crew.ts";
import type { Member } from "./member.ts";

/** What all workers say of themselves, as one. */
export interface Summary extends AsyncDisposable {
  /** It does not listen yet. */
  readonly debug: DebugServer;
  /** To be called before anybody can ask. */
  follow(crew: Pick<Crew, "reports">): void;
  /** To be called when a worker has ended. */
  leave(member: Member): void;
  /** From now on this is the configuration that its pages tell of. */
  show(config: Config): void;
}

/** @returns undefined where no debug server is configured */
export async function openSummary(config: Config, version: string, log: Log): Promise<Summary | undefined> {
  const { addr, prometheus } = config.http.debug;
  if (addr === "") return undefined;
  const { ReportSum: Sum } = await import("../telemetry/report-sum.ts");
  const sum = new Sum<Member>();
  const summing = new Summing(sum);
  let shown = config;
  if (prometheus.enabled) log.info(`providing prometheus metrics on ${prometheus.path}`);
  const debug = createDebugServer({
    failures: () => summing.failures(),
    variables: async () => {
      await summing.failures();
      return variablesOf(shown, version, sum.counts, sum.usage);
    },
    metrics: prometheus.enabled ? metricsPage(prometheus.path, summing, sum) : undefined,
  });
  return {
    debug,
    follow: (crew) => summing.follow(crew),
    leave: (member) => sum.leave(member),
    show: (next) => {
      shown = next;
    },
    [Symbol.asyncDispose]: () => debug[Symbol.asyncDispose](),
  };
}

function metricsPage(path: string, summing: Summing, sum: ReportSum<Member>): NonNullable<DebugPages["metrics"]> {
  const read = async (): Promise<string> => {
    await summing.failures();
    return await sum.metrics();
  };
  return { path, contentType: sum.contentType, read };
}

class Summing {
  readonly #sum: ReportSum<Member>;
  #crew: Pick<Crew, "reports"> | undefined;

  constructor(sum: ReportSum<Member>) {
    this.#sum = sum;
  }

  follow(crew: Pick<Crew, "reports">): void {
    this.#crew = crew;
  }

  /** Has all workers tell of themselves. @returns what is not well, by the name of its check */
  async failures(): Promise<Readonly<Record<string, string>>> {
    const reports = (await this.#crew?.reports()) ?? new Map();
    if (reports.size === 0) return { workers: "no worker serves" };
    const failures: Record<string, string> = {};
    for (const [member, report] of reports) {
      if (report && !member.isEnded) this.#sum.note(member, report);
      if (!report && !member.isEnded) failures[`worker_${member.number}`] = "it does not answer";
      Object.assign(failures, report?.failures);
    }
    return failures;
  }
}
