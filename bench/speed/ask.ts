import { Agent, type OutgoingHttpHeaders, request } from "node:http";

/** As many connections as there are requests at a time, kept. */
const agent = new Agent({ keepAlive: true });

export interface Told {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Path and query of `Location`; "" where there is none. */
  readonly location: string;
}

export interface Sent {
  readonly body?: Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

/** @throws {Error} for any other status than the expected one */
export function ask(url: string, method: string, path: string, status: number, sent: Sent = {}): Promise<Told> {
  const { promise, resolve, reject } = Promise.withResolvers<Told>();
  const headers = { ...sent.headers, "Content-Length": sent.body?.length ?? 0 };
  const asked = request(new URL(path, url), { agent, method, headers }, (answer) => {
    const parts: Buffer[] = [];
    answer.on("data", (part: Buffer) => parts.push(part));
    answer.on("error", reject);
    answer.on("end", () => {
      const body = Buffer.concat(parts);
      if (answer.statusCode !== status) reject(new Error(`${method} ${path}: ${answer.statusCode} ${body}`));
      resolve({ headers: answer.headers as Record<string, string>, body, location: toPath(answer.headers.location) });
    });
  });
  asked.on("error", reject);
  asked.end(sent.body);
  return promise;
}

function toPath(location: string | undefined): string {
  if (location === undefined) return "";
  const { pathname, search } = new URL(location, "http://here");
  return pathname + search;
}
