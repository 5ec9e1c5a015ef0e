import { readFile } from "node:fs/promises";
import { run } from "../../test/support/run.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Told } from "./ask.ts";
import { type Content, REPOSITORY } from "./content.ts";
import type { Access } from "./credentials.ts";
import type { Starting } from "./subject.ts";

/** One path that clients read again and again. */
export interface Read {
  readonly what: string;
  /** Times docker-registry's rate. */
  readonly target: number;
  readonly method: "GET" | "HEAD";
  readonly path: (content: Content) => string;
  readonly access: Access;
  /** How the server is started, where it is not as usual. */
  readonly starting?: Starting;
}

const BASE = `/v2/${REPOSITORY}`;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const byTag = (): string => `${BASE}/manifests/v7`;

export const READS: readonly Read[] = [
  read("HEAD blob", 15, ({ kilobyte }) => `${BASE}/blobs/${kilobyte}`, { method: "HEAD" }),
  read("GET manifest by tag", 15, byTag),
  read("GET manifest by digest", 15, ({ manifest }) => `${BASE}/manifests/${manifest}`),
  read("GET blob of 1 KiB", 30, ({ kilobyte }) => `${BASE}/blobs/${kilobyte}`),
  read("GET blob of 64 KiB", 12, ({ sixtyFour }) => `${BASE}/blobs/${sixtyFour}`),
  read("tags/list of 500", 12, () => `${BASE}/tags/list`),
  read("catalogue, n=100 of 100", 5, () => "/v2/_catalog?n=100"),
  read("GET manifest by tag, with a line a request", 0, byTag, { starting: { logs: true } }),
  read("GET manifest by tag, htpasswd", 10, byTag, { access: "htpasswd" }),
  read("GET manifest by tag, bearer token", 10, byTag, { access: "token" }),
  read("HEAD blob, bearer token", 10, ({ kilobyte }) => `${BASE}/blobs/${kilobyte}`, {
    method: "HEAD",
    access: "token",
  }),
];

function read(what: string, target: number, path: Read["path"], more: Partial<Read> = {}): Read {
  return { what, target, path, method: "GET", access: "open", ...more };
}

export interface Loading {
  readonly seconds: number;
  readonly connections: number;
  readonly authorization: string | undefined;
}

/** A rate and how long answers took, in ms. */
export interface Rate {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** @throws {Error} where answers were others than 200 */
export function measureRead(url: string, { method }: Read, path: string, loading: Loading): Promise<Rate> {
  return method === "HEAD" ? measureHead(url + path, loading) : measureGet(url + path, loading);
}

async function measureGet(url: string, { seconds, connections, authorization }: Loading): Promise<Rate> {
  const output = await run("wrk", [
    ...[
      "--threads",
      "1",
      "--connections",
      String(connections),
      "--duration",
      `${seconds}s`,
      "--latency",
      "--timeout",
      "10s",
    ],
    ...headers("--header", authorization),
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`GET ${url}: ${output}`);
  return {
    perSecond: Number(figureIn(output, /Requests\/sec:\s+([\d.]+)/)[1]),
    p50: milliseconds(figureIn(output, /50%\s+([\d.]+)(us|ms|s)/)),
    p99: milliseconds(figureIn(output, /99%\s+([\d.]+)(us|ms|s)/)),
  };
}

/** By `ab`, because wrk waits for the bodies of HEAD. */
async function measureHead(url: string, { seconds, connections, authorization }: Loading): Promise<Rate> {
  await using folder = await temporaryFolder("ab");
  const table = folder.join("percentages"); // what it prints has whole milliseconds
  const output = await run("ab", [
    ...["-q", "-k", "-i", "-c", String(connections), "-t", String(seconds), "-n", "10000000"],
    ...["-e", table],
    ...headers("-H", authorization),
    url,
  ]);
  if (/Non-2xx|Failed requests:\s+[1-9]/.test(output)) throw new Error(`HEAD ${url}: ${output}`);
  const percentages = await readFile(table, "utf8");
  return {
    perSecond: Number(figureIn(output, /Requests per second:\s+([\d.]+)/)[1]),
    p50: Number(figureIn(percentages, /^50,([\d.]+)$/m)[1]),
    p99: Number(figureIn(percentages, /^99,([\d.]+)$/m)[1]),
  };
}

function headers(option: string, authorization: string | undefined): readonly string[] {
  const lines = [`Accept: ${MANIFEST}`, ...(authorization ? [`Authorization: ${authorization}`] : [])];
  return lines.flatMap((line) => [option, line]);
}

function figureIn(output: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(output);
  if (!found) throw new Error(`no word of ${pattern}: ${output}`);
  return found;
}

function milliseconds([, figure, unit]: RegExpExecArray): number {
  return Number(figure) * { us: 0.001, ms: 1, s: 1000 }[unit as "us" | "ms" | "s"];
}

/** What a server has to send that does nothing else: status 200, and these. */
export interface Recorded {
  readonly headers: Readonly<Record<string, string>>;
  /** In base64. */
  readonly body: string;
}

export function toRecorded({ headers, body }: Told): Recorded {
  const { date: _, connection: _2, "keep-alive": _3, ...others } = headers;
  return { headers: others, body: body.toString("base64") };
}
