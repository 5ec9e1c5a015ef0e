/**
 * Sends lines of the log by mail: subject `[error] mail.example.com: a request failed`, the line's fields below.
 *
 * @see ops, section 6, "Mail hook"
 */
import { createTransport, type SendMailOptions } from "nodemailer";
import { within } from "../lib/deadline.ts";
import type { Line } from "./line-format.ts";

export interface MailHookOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Any certificate will do, and a password is sent where nothing is encrypted. */
  readonly insecure: boolean;
  readonly from: string;
  readonly to: readonly string[];
  /** Told where a mail could not be sent. Not with the log: that would make mails of it. */
  readonly complain: (problem: string) => void;
}

export interface MailHook extends AsyncDisposable {
  send(line: Line): void;
}

/** Mails that may wait for the server; lines beyond are left out, and the next mail says how many. */
const MOST_WAITING = 20;

/** How long a server may take for each of its answers. ms */
const ANSWER_TIME = 10_000;

/** How long disposal waits for mails that are under way. ms */
const PATIENCE = 5000;

export function createMailHook(options: MailHookOptions): MailHook {
  const transport = createTransport(toTransport(options));
  let last = Promise.resolve();
  let waiting = 0;
  let left = 0;
  const post = async (mail: SendMailOptions): Promise<void> => {
    try {
      await transport.sendMail(mail);
    } catch (error) {
      options.complain(`a line of the log could not be mailed: ${error instanceof Error ? error.message : error}`);
    }
    waiting -= 1;
  };
  return {
    send(line) {
      if (waiting === MOST_WAITING) {
        left += 1;
        return;
      }
      const mail = toMail(line, options, left);
      waiting += 1;
      left = 0;
      last = last.then(() => post(mail));
    },
    async [Symbol.asyncDispose]() {
      await within(PATIENCE, last).catch(() =>
        options.complain("the last lines of the log could not be mailed in time"),
      );
      transport.close();
    },
  };
}

function toTransport({
  host,
  port,
  username,
  password = "",
  insecure,
}: MailHookOptions): Parameters<typeof createTransport>[0] {
  return {
    host,
    port,
    secure: port === SMTPS,
    requireTLS: username !== undefined && !insecure && !isThisMachine(host),
    ...(insecure && { tls: { rejectUnauthorized: false } }),
    ...(username !== undefined && { auth: { user: username, pass: password }, authMethod: "PLAIN" }),
    connectionTimeout: ANSWER_TIME,
    greetingTimeout: ANSWER_TIME,
    socketTimeout: ANSWER_TIME,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

const SMTPS = 465;

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function toMail(
  { level, msg, time, ...fields }: Line,
  { host, from, to }: MailHookOptions,
  left: number,
): SendMailOptions {
  const message = String(msg ?? "");
  const rest = Object.entries({ time, ...fields }).map(([key, value]) => `${key}: ${print(value)}`);
  const missing = left > 0 ? [`${left} lines before this one were not mailed`] : [];
  return {
    from,
    to: [...to],
    subject: `[${level}] ${host}: ${message}`,
    text: `${[message, ...rest, ...missing].join("\n")}\n`,
  };
}

function print(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
