import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { TLSSocket } from "node:tls";
import type { SelfSigned } from "./self-signed.ts";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Head and body as they were sent. */
  readonly text: string;
  readonly encrypted: boolean;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Mail[];
  /** What clients logged in with. */
  readonly logins: readonly string[];
  /** Resolves with the next mail. */
  next(): Promise<void>;
}

export interface MailServerOptions {
  /** Whether clients may log in. */
  readonly users?: boolean;
  /** Clients are offered encryption with it; not set: they are not. */
  readonly pair?: SelfSigned;
}

/** Takes every mail, over SMTP. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const mails: Mail[] = [];
  const logins: string[] = [];
  const waiting: (() => void)[] = [];
  const take = (mail: Mail): void => {
    mails.push(mail);
    for (const call of waiting.splice(0)) call();
  };
  const server = createServer((socket) => void converse(socket, options, take, (login) => void logins.push(login)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    logins,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function converse(
  socket: Socket,
  options: MailServerOptions,
  take: (mail: Mail) => void,
  login: (text: string) => void,
): Promise<void> {
  const isEncrypted = socket instanceof TLSSocket;
  const abilities = [...(options.users ? ["AUTH PLAIN"] : []), ...(options.pair && !isEncrypted ? ["STARTTLS"] : [])];
  const say = (text: string): void => void socket.write(`${text}\r\n`);
  let mail: { from: string; to: string[]; lines: string[] | undefined } = { from: "", to: [], lines: undefined };
  if (!isEncrypted) say("220 here");
  socket.on("error", () => undefined);
  for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (mail.lines && line !== ".") mail.lines.push(line);
    else if (mail.lines) {
      take({ from: mail.from, to: mail.to, text: `${mail.lines.join("\r\n")}\r\n`, encrypted: isEncrypted });
      mail = { from: "", to: [], lines: undefined };
      say("250 taken");
    } else if (line.startsWith("EHLO"))
      say(["250-here", ...abilities.map((name) => `250-${name}`), "250 8BITMIME"].join("\r\n"));
    else if (line === "STARTTLS" && options.pair) {
      say("220 go on");
      return converse(new TLSSocket(socket, { isServer: true, ...options.pair }), options, take, login);
    } else if (line.startsWith("AUTH PLAIN ")) {
      login(Buffer.from(line.slice(11), "base64").toString());
      say("235 welcome");
    } else if (line.startsWith("MAIL FROM:")) {
      mail.from = addressIn(line);
      say("250 well");
    } else if (line.startsWith("RCPT TO:")) {
      mail.to.push(addressIn(line));
      say("250 well");
    } else if (line === "DATA") {
      mail.lines = [];
      say("354 go on");
    } else if (line === "QUIT") {
      say("221 goodbye");
      socket.end();
    } else say("250 well");
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}
