import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Head and body as they were sent. */
  readonly text: string;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Mail[];
  /** What clients logged in with. */
  readonly logins: readonly string[];
  /** Resolves with the next mail. */
  next(): Promise<void>;
}

/** Takes every mail, over SMTP without encryption. */
export async function startMailServer({ users = false }: { readonly users?: boolean } = {}): Promise<MailServer> {
  const mails: Mail[] = [];
  const logins: string[] = [];
  const waiting: (() => void)[] = [];
  const take = (mail: Mail): void => {
    mails.push(mail);
    for (const call of waiting.splice(0)) call();
  };
  const server = createServer((socket) => void converse(socket, users, take, (login) => void logins.push(login)));
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
  users: boolean,
  take: (mail: Mail) => void,
  login: (text: string) => void,
): Promise<void> {
  const say = (text: string): void => void socket.write(`${text}\r\n`);
  let mail: { from: string; to: string[]; lines: string[] | undefined } = { from: "", to: [], lines: undefined };
  say("220 here");
  socket.on("error", () => undefined);
  for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (mail.lines && line !== ".") mail.lines.push(line);
    else if (mail.lines) {
      take({ from: mail.from, to: mail.to, text: `${mail.lines.join("\r\n")}\r\n` });
      mail = { from: "", to: [], lines: undefined };
      say("250 taken");
    } else if (line.startsWith("EHLO")) say(users ? "250-here\r\n250 AUTH PLAIN" : "250 here");
    else if (line.startsWith("AUTH PLAIN ")) {
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
