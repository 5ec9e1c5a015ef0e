import { parseAddress } from "../config/address.ts";
import type { LogConfig, LogHook } from "../config/log-config.ts";
import type { Line } from "../telemetry/line-format.ts";
import { writeLines } from "../telemetry/line-writer.ts";
import { createLog, type Log, type LogOptions } from "../telemetry/log.ts";
import type { MailHook } from "../telemetry/mail-hook.ts";
import { createRequestLog, type RequestLog } from "../telemetry/request-log.ts";

/** Disposal ends when every line is written, and those that go by mail are sent or given up. */
export interface Logging extends AsyncDisposable {
  /** The same for the life of the process, whatever becomes of its configuration. */
  readonly log: Log;
  readonly requestLog: RequestLog;
  /** From now on lines are as another configuration wants them, or nothing is changed where that fails. */
  change(config: LogConfig): Promise<void>;
}

/**
 * @param instance a name of this process, or of the registry that it is one of
 * @param more added to every line
 */
export async function openLogging(
  config: LogConfig,
  version: string,
  instance: string,
  more: LogOptions["fields"] = {},
): Promise<Logging> {
  const fields = { "instance.id": instance, version, ...more };
  const ending = new Set<Promise<void>>();
  let current: Lines | undefined;
  const options = (): LogOptions => current?.options ?? { ...config, fields };
  const plain = createLog(() => ({ ...options(), hook: undefined }));
  const open = (wanted: LogConfig): Promise<Lines> => openLines(wanted, fields, (problem) => plain.error(problem));
  current = await open(config);
  const log = createLog(options);
  const lines = writeLines(200, "stderr");
  return {
    log,
    requestLog: createRequestLog(options, (line) => lines.write(line)),
    async change(wanted) {
      const before = current;
      current = await open(wanted);
      log.level = wanted.level;
      const end = Promise.resolve(before?.[Symbol.asyncDispose]()).finally(() => ending.delete(end));
      ending.add(end);
    },
    async [Symbol.asyncDispose]() {
      await lines[Symbol.asyncDispose]();
      await Promise.all([...ending, current?.[Symbol.asyncDispose]()]);
    },
  };
}

/** What one configuration makes of lines. Disposal ends when what goes by mail is sent or given up. */
interface Lines extends AsyncDisposable {
  readonly options: LogOptions;
}

async function openLines(
  config: LogConfig,
  fields: LogOptions["fields"],
  complain: (problem: string) => void,
): Promise<Lines> {
  await using parts = new AsyncDisposableStack();
  const hook = await openHooks(config.hooks, parts, complain);
  const owned = parts.move();
  return {
    options: { ...config, fields: { ...fields, ...config.fields }, hook },
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
