import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { toDigest } from "../../src/oci/digest.ts";
import { run } from "../../test/support/run.ts";
import { startBare } from "../speed/bare.ts";
import { debian, open } from "../speed/subject.ts";
import { table } from "../tables.ts";
import { GrowthDirectory, type Image } from "./directory.ts";
import { quantiles, rate } from "./latencies.ts";
import { askSteadily } from "./open-loop.ts";
import { pathsOf, READS } from "./rates.ts";
import { GrowthServer } from "./server.ts";
import type { Growing } from "./sizes.ts";
import { LONGER } from "./under-load.ts";

const NEIGHBOUR = fileURLToPath(new URL("neighbour.ts", import.meta.url));

/** So few that the one who asks sleeps half of the time, which is the neighbour's: both have one core, the asker first. */
export const PER_SECOND = 250;
const CONNECTIONS = 16;

/** MiB */
const BIG = 1024;

interface Case {
  readonly what: string;
  readonly url: string;
  /** Arguments of the neighbour; none: there is none. */
  readonly neighbour?: readonly string[];
}

/** What HEADs take while somebody else moves big blobs. */
export async function measureBeside({ folder, seconds, say }: Growing): Promise<string> {
  const place = folder.join("beside");
  const directory = new GrowthDirectory(place);
  const digest = await addBig(directory, folder.join("big"));
  await using server = await GrowthServer.open(place);
  await using bare = await startBare(server.url, pathsOf(directory.image), folder);
  await using peer = await open(debian(place), { sections: {} });
  const blobAt = (url: string): string => `${url}/v2/${directory.image.name}/blobs/${digest}`;
  const cases: readonly Case[] = [
    { what: "alone", url: server.url },
    { what: "beside pulls of a 1 GiB blob", url: server.url, neighbour: ["pull", blobAt(server.url), String(BIG)] },
    { what: "beside pushes of 256 MiB blobs", url: server.url, neighbour: ["push", server.url, folder.join("pushed")] },
    { what: "docker-registry, alone", url: peer.url },
    { what: "docker-registry, beside pulls", url: peer.url, neighbour: ["pull", blobAt(peer.url), String(BIG)] },
    {
      what: "docker-registry, beside pushes",
      url: peer.url,
      neighbour: ["push", peer.url, folder.join("pushed to the peer")],
    },
    { what: "bare server, alone", url: bare.url },
    {
      what: "bare server, beside pulls of 1 GiB",
      url: bare.url,
      neighbour: ["pull", `${bare.url}/bytes/${BIG * 2 ** 20}`, String(BIG)],
    },
    {
      what: "bare server, and a turn for others after each 256 KiB",
      url: bare.url,
      neighbour: ["pull", `${bare.url}/turns/${BIG * 2 ** 20}`, String(BIG)],
    },
  ];
  const lines: string[][] = [];
  await using _precedence = await Precedence.take();
  for (const one of cases) {
    const line = await measureCase(one, directory.image, seconds * LONGER);
    say(line.join(" "));
    lines.push(line);
  }
  return table(
    [`${PER_SECOND} HEADs a second`, "p50, ms", "p99, ms", "p99.9, ms", "longest, ms", "MiB/s beside"],
    lines,
  );
}

async function addBig(directory: GrowthDirectory, file: string): Promise<string> {
  await run("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${BIG}`, "status=none"]);
  const digest = toDigest("sha256", (await run("sha256sum", [file])).slice(0, 64));
  directory.addBlob(file, digest);
  return digest;
}

async function measureCase({ what, url, neighbour }: Case, image: Image, seconds: number): Promise<string[]> {
  const [read] = READS.filter(({ method }) => method === "HEAD");
  if (!read) throw new Error("there is no HEAD to measure");
  await using beside = neighbour && (await Neighbour.begin(neighbour));
  const taken = await askSteadily({
    ...{ url, method: read.method, path: read.path(image) },
    ...{ connections: CONNECTIONS, perSecond: PER_SECOND, seconds },
  });
  return [what, ...quantiles(taken), beside ? rate(beside.perSecond) : ""];
}

/**
 * The core is this program's whenever it wants it. Otherwise a neighbour that is computing keeps it up to the next tick of the
 * clock, 4 ms, however low its priority: HEADs beside a mere endless loop had a p99 of 4.4 to 6.1 ms, and have one of 0.4 to 1.7 like
 * this.
 * @see sched(7)
 */
export class Precedence implements AsyncDisposable {
  /** What this program starts has none. @throws {Error} where the system does not let it */
  static async take(): Promise<Precedence> {
    await run("chrt", ["--reset-on-fork", "--fifo", "--pid", "1", String(process.pid)]);
    return new Precedence();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("chrt", ["--other", "--pid", "0", String(process.pid)]);
  }
}

/** Takes what the one who asks leaves. */
class Neighbour implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #rates: number[] = [];

  private constructor(child: ReturnType<typeof spawn>) {
    this.#child = child;
  }

  static async begin(args: readonly string[]): Promise<Neighbour> {
    const child = spawn("nice", ["-n", "19", process.execPath, NEIGHBOUR, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const neighbour = new Neighbour(child);
    const lines = createInterface({ input: child.stdout });
    await Promise.race([
      once(lines, "line"),
      once(child, "exit").then(() => Promise.reject(new Error("no neighbour"))),
    ]);
    lines.on("line", (line) => neighbour.#rates.push(Number(line)));
    return neighbour;
  }

  /** MiB, on average of the blobs that it moved. */
  get perSecond(): number {
    if (this.#rates.length === 0)
      throw new Error("the neighbour moved no whole blob meanwhile; give it more --seconds");
    return this.#rates.reduce((sum, one) => sum + one, 0) / this.#rates.length;
  }

  /** With what it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode } = this.#child;
    if (pid === undefined || exitCode !== null) return;
    const ended = once(this.#child, "exit");
    process.kill(-pid);
    await ended;
  }
}
