import { randomUUID } from "node:crypto";
import { parseAddress } from "../config/address.ts";
import type { LogConfig, LogHook } from "../config/log-config.ts";
import type { Line } from "../telemetry/line-format.ts";
import { writeLines } from "../telemetry/line-writer.ts";
import { createLog, type Log, type LogOptions } from "../telemetry/log.ts";
import type { MailHook } from "../telemetry/mail-hook.ts";
import { createRequestLog, type RequestLog } from "../telemetry/request-log.ts";

/** Disposal ends when every line is written, and those that go by mail are sent or given up. */
export interface Logging extends AsyncDisposable {
  readonly log: Log;
  readonly requestLog: RequestLog;
}

/** @param instance a name of this process */
export async function openLogging(
  config: LogConfig,
  version: string,
  instance: string = randomUUID(),
): Promise<Logging> {
  await using parts = new AsyncDisposableStack();
  const plain = createLog({ ...config, fields: config.fields });
  const hook = await openHooks(config.hooks, parts, (problem) => plain.error(problem));
  const options: LogOptions = { ...config, fields: { "instance.id": instance, version, ...config.fields }, hook };
  const lines = parts.use(writeLines(200, "stderr"));
  const owned = parts.move();
  return {
    log: createLog(options),
    requestLog: createRequestLog(options, (line) => lines.write(line)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @returns undefined where nothing is sent */
async function openHooks(
  hooks: readonly LogHook[],
  parts: AsyncDisposableStack,
  complain: (problem: string) => void,
): Promise<LogOptions["hook"]> {
  const opened: { readonly levels: ReadonlySet<unknown>; readonly mail: MailHook }[] = [];
  for (const hook of hooks) {
    if (hook.disabled) continue;
    opened.push({ levels: levelsOf(hook), mail: parts.use(await openMail(hook, complain)) });
  }
  if (opened.length === 0) return undefined;
  return (line) => {
    for (const { levels, mail } of opened) if (levels.has(line["level"])) mail.send(line);
  };
}

/** As lines have them: ours are never of level panic, what would be is fatal. */
function levelsOf({ levels }: LogHook): ReadonlySet<Line[string]> {
  return new Set(
    levels.flatMap((level) => (level === "warn" ? ["warning"] : level === "panic" ? ["panic", "fatal"] : [level])),
  );
}

async function openMail({ options }: LogHook, complain: (problem: string) => void): Promise<MailHook> {
  const { createMailHook } = await import("../telemetry/mail-hook.ts");
  const { smtp, from = "", to } = options; // the schema asks for all of them
  const { host = "localhost", port } = parseAddress(smtp.addr ?? "");
  return createMailHook({ ...smtp, host, port, from, to, complain });
}
