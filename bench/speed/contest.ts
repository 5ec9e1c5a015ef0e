import { mkdir, rm } from "node:fs/promises";
import { residentOf } from "../../test/faults/process-figures.ts";
import type { TemporaryFolder } from "../../test/support/temporary-folder.ts";
import { startBare } from "./bare.ts";
import { type Content, REPOSITORY, seed } from "./content.ts";
import type { Credentials } from "./credentials.ts";
import { hashRate, writeRate } from "./disk.ts";
import type { Figures } from "./figures.ts";
import type { PinnedServer } from "./pinned.ts";
import { measureRead, READS, type Read } from "./reads.ts";
import { CEILING, type Row } from "./report.ts";
import { open, type Subject } from "./subject.ts";
import { BIG, type BigFile, pullBigs, pushBig, pushSmallImages, putBig, writeLayouts } from "./writes.ts";

const PUSH = "push a 256 MiB blob";
const PULL = "pull a 256 MiB blob";
/** The same figures again, beside what a server of nothing but `node:http` does. */
const BARE_PUSH = "the same, beside a bare server that hashes and writes";
const BARE_PULL = "the same, beside a bare server that reads the file";
const IMAGES = "push small images, 8 at once";
const MEMORY = "resident memory after all of it";
const WARM = "start to first answer, compile cache warm";
const COLD = "start to first answer, compile cache cold";

/** How long a server is asked for something before that is measured: one just started is still compiling. s */
export const WARM_UP = 2;

export const ROWS: readonly Row[] = [
  ...READS.map(({ what, target }): Row => ({ what, unit: "/s", target })),
  { what: PUSH, unit: "MiB/s", target: 1.8 },
  { what: BARE_PUSH, unit: "MiB/s", target: 0 },
  { what: PULL, unit: "MiB/s", target: 1.5 },
  { what: BARE_PULL, unit: "MiB/s", target: 0 },
  { what: IMAGES, unit: "/s", target: 3 },
  { what: MEMORY, unit: "MiB", target: 2.5, limit: 150 },
  { what: WARM, unit: "ms", target: 0, limit: 400 },
  { what: COLD, unit: "ms", target: 0, limit: 800 },
];

export interface ContestOptions {
  readonly subjects: readonly Subject[];
  readonly folder: TemporaryFolder;
  readonly credentials: Credentials;
  readonly file: BigFile;
  readonly figures: Figures;
  /** Of each read. */
  readonly seconds: number;
  readonly connections: number;
  /** Which rows are measured. */
  readonly includes: (row: string) => boolean;
  readonly say: (line: string) => void;
}

interface Entrant {
  readonly subject: Subject;
  readonly server: PinnedServer;
  readonly content: Content;
}

/** Registries with the same content, and a bare server of the answers of the first; measured in turns. */
export class Contest implements AsyncDisposable {
  readonly #options: ContestOptions;
  readonly #entrants: readonly Entrant[];
  readonly #ceiling: PinnedServer;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    options: ContestOptions,
    entrants: readonly Entrant[],
    ceiling: PinnedServer,
    owned: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#entrants = entrants;
    this.#ceiling = ceiling;
    this.#owned = owned;
  }

  static async open(options: ContestOptions): Promise<Contest> {
    await using stack = new AsyncDisposableStack();
    const entrants: Entrant[] = [];
    for (const subject of options.subjects) {
      if (subject.program) await mkdir(subject.program.folder, { recursive: true });
      if (subject.isCompiled === false) await compileOnce(subject, options.credentials);
      const server = stack.use(await open(subject, options.credentials));
      options.say(`${subject.name}: pushing what will be read`);
      entrants.push({ subject, server, content: await seed(server.url) });
    }
    const [first] = entrants;
    if (!first) throw new Error("there is nothing to measure");
    const ceiling = stack.use(
      await startBare(
        first.server.url,
        READS.map(({ path }) => path(first.content)),
        options.folder,
      ),
    );
    return new Contest(options, entrants, ceiling, stack.move());
  }

  /** Everything once, by each in turn; another one begins each time. */
  async round(number: number): Promise<void> {
    const { includes, figures, file, folder } = this.#options;
    const turns = this.#entrants.map((_, turn) => this.#entrants[(turn + number) % this.#entrants.length] as Entrant);
    for (const read of READS.filter(({ what }) => includes(what))) await this.#read(read, turns);
    if (includes(PUSH) || includes(PULL)) await this.#big(turns);
    if (includes(PULL)) {
      figures.add(PULL, CEILING, await pullBigs(`${this.#ceiling.url}/bytes/${BIG * 2 ** 20}`));
      figures.add(BARE_PULL, CEILING, await pullBigs(`${this.#ceiling.url}/file${file.path}`));
    }
    if (includes(PUSH)) {
      const rates = [await hashRate(), await writeRate(file.path, folder.join("written"))];
      figures.add(PUSH, CEILING, Math.min(...rates));
      figures.add(BARE_PUSH, CEILING, await putBig(`${this.#ceiling.url}/sink${folder.join("sink")}`, file));
    }
    if (includes(IMAGES)) {
      for (const { subject, server } of turns) this.#add(IMAGES, subject, await pushSmallImages(server.url));
      figures.add(IMAGES, CEILING, await writeLayouts(folder.join("layouts")));
    }
    for (const { subject } of turns) await this.#start(subject);
  }

  readMemory(): void {
    if (!this.#options.includes(MEMORY)) return;
    for (const { subject, server } of this.#entrants) {
      if (subject.program) this.#add(MEMORY, subject, residentOf(server.pid) / 2 ** 20);
    }
    this.#options.figures.add(MEMORY, CEILING, residentOf(this.#ceiling.pid) / 2 ** 20);
  }

  async #read(read: Read, turns: readonly Entrant[]): Promise<void> {
    for (const entrant of turns) {
      await using other =
        read.access === "open" && !read.starting ? undefined : await this.#openOtherwise(read, entrant);
      if (other?.url === "") continue;
      const rate = await this.#rate(other ?? entrant.server, read, read.path(entrant.content));
      this.#add(read.what, entrant.subject, rate);
    }
    const [{ content }] = this.#entrants as readonly [Entrant];
    if (read.access === "open" && !read.starting) {
      const rate = await this.#rate(this.#ceiling, read, read.path(content));
      this.#options.figures.add(read.what, CEILING, rate);
    }
  }

  /** What runs somewhere has no other door. */
  async #openOtherwise({ access, starting }: Read, { subject }: Entrant): Promise<PinnedServer> {
    const named = subject.program ? subject : { name: subject.name };
    return await open(named, this.#options.credentials, { ...starting, access });
  }

  async #rate(server: PinnedServer, read: Read, path: string): Promise<number> {
    const { seconds, connections, credentials } = this.#options;
    const loading = { seconds, connections, authorization: credentials.headers[read.access] };
    await measureRead(server.url, read, path, { ...loading, seconds: WARM_UP });
    return (await measureRead(server.url, read, path, loading)).perSecond;
  }

  async #big(turns: readonly Entrant[]): Promise<void> {
    for (const { subject, server } of turns) {
      const { rate, digest } = await pushBig(server.url, this.#options.file);
      for (const row of [PUSH, BARE_PUSH]) this.#add(row, subject, rate);
      const pulled = await pullBigs(`${server.url}/v2/${REPOSITORY}/blobs/${digest}`);
      for (const row of [PULL, BARE_PULL]) this.#add(row, subject, pulled);
    }
  }

  async #start(subject: Subject): Promise<void> {
    const { includes, credentials, folder } = this.#options;
    if (!subject.program) return;
    const compileCache = folder.join("compiled");
    await rm(compileCache, { recursive: true, force: true });
    for (const row of [COLD, WARM].filter(includes)) {
      await using server = await open(subject, credentials, { compileCache });
      this.#add(row, subject, server.start);
    }
  }

  #add(row: string, { name }: Subject, figure: number): void {
    this.#options.figures.add(row, name, figure);
    this.#options.say(`${row}: ${name} ${figure.toPrecision(4)}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

/** What strips types at its first start keeps 26 MiB for it; what is installed strips none. */
async function compileOnce(subject: Subject, credentials: Credentials): Promise<void> {
  await using _ended = await open(subject, credentials);
}
