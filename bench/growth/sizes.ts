/** What a thousand, ten thousand and a hundred thousand of one kind cost. Each listing is asked of a server just started. */

import { run } from "../../test/support/run.ts";
import type { TemporaryFolder } from "../../test/support/temporary-folder.ts";
import { ask, type Told } from "../speed/ask.ts";
import { manifestOf, pushManifest } from "../speed/content.ts";
import { Figures } from "../speed/figures.ts";
import { table } from "../tables.ts";
import { GrowthDirectory, type Image } from "./directory.ts";
import { milliseconds, rate } from "./latencies.ts";
import { measureRate, READS } from "./rates.ts";
import { GrowthServer } from "./server.ts";

export const KINDS = ["tags", "repositories", "blobs"] as const;
export type Kind = (typeof KINDS)[number];

const SIZES = [1000, 10_000, 100_000] as const;

interface Listing {
  readonly what: string;
  readonly path: string;
  /** Whether the pages that follow are asked for as well. */
  readonly isWhole?: boolean;
}

function listingsOf(kind: Kind, size: number): readonly Listing[] {
  if (kind === "tags") {
    return [
      { what: "tags/list, n=100", path: "/v2/grown/app/tags/list?n=100" },
      { what: "tags/list, whole", path: "/v2/grown/app/tags/list" },
    ];
  }
  if (kind === "blobs") return [];
  return [
    { what: "_catalog, n=100", path: "/v2/_catalog?n=100" },
    { what: "_catalog, n=100, last page", path: `/v2/_catalog?n=100&last=${lastGroupOf(size)}` },
    { what: "_catalog, whole, n=1000", path: "/v2/_catalog?n=1000", isWhole: true },
  ];
}

/** The last in order of them, which is that of nines. */
function lastGroupOf(size: number): string {
  return `group-${size / 100 - 1}`;
}

/** How many manifests are pushed, and how often each listing is asked for again, unless that takes too long. */
const TIMES = 5;
/** ms */
const TOO_LONG = 5000;

export interface Growing {
  readonly folder: TemporaryFolder;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** @returns a table: a line a row, a column a size */
export async function measureGrowth(kind: Kind, { folder, seconds, say }: Growing): Promise<string> {
  const place = folder.join(kind);
  const directory = new GrowthDirectory(place);
  const figures = new Figures();
  for (const size of SIZES) {
    say(`${kind}: writing ${size}`);
    grow(directory, kind, size);
    await run("sync", ["--file-system", place]); // else it is written while the server is measured
    const add = (row: string, figure: number): void => {
      figures.add(row, String(size), figure);
      say(`${size} ${kind}: ${row} ${figure.toPrecision(4)}`);
    };
    const listings = listingsOf(kind, size);
    for (const listing of listings) await measureListing(place, listing, add);
    await measureAll({ place, kind, seconds, listings, image: directory.image }, add);
  }
  return toTable(kind, figures);
}

type Add = (row: string, figure: number) => void;

function grow(directory: GrowthDirectory, kind: Kind, total: number): void {
  if (kind === "tags") directory.growTags(total);
  else if (kind === "repositories") directory.growRepositories(total);
  else directory.growBlobs(total);
}

async function measureListing(place: string, listing: Listing, add: Add): Promise<void> {
  await using server = await GrowthServer.open(place);
  await server.delay();
  add(`${listing.what}: first, ms`, await timeOf(() => list(server.url, listing)));
  add(`${listing.what}: event loop late at most, ms`, (await server.delay()).longest);
  const begun = performance.now();
  for (let time = 0; time < TIMES && performance.now() - begun < TOO_LONG; time++) {
    add(`${listing.what}: again, ms`, await timeOf(() => list(server.url, listing)));
  }
}

async function list(url: string, { path, isWhole }: Listing): Promise<void> {
  let answer = await ask(url, "GET", path, 200);
  for (let next = nextOf(answer); isWhole && next !== undefined; next = nextOf(answer)) {
    answer = await ask(url, "GET", next, 200);
  }
}

function nextOf({ headers }: Told): string | undefined {
  return /^<([^>]+)>/.exec(headers["link"] ?? "")?.[1];
}

interface Grown {
  readonly place: string;
  readonly kind: Kind;
  readonly seconds: number;
  readonly listings: readonly Listing[];
  readonly image: Image;
}

async function measureAll({ place, kind, seconds, listings, image }: Grown, add: Add): Promise<void> {
  await using server = await GrowthServer.open(place);
  for (const read of READS) {
    await measureRate(server.url, read, image, { seconds: 1, connections: 16 });
    add(`${read.what}, /s`, (await measureRate(server.url, read, image, { seconds, connections: 16 })).perSecond);
  }
  for (let time = 0; time < TIMES; time++) await measurePush(server.url, kind, image, add);
  for (const listing of listings) {
    add(`${listing.what}: first after a push, ms`, await timeOf(() => list(server.url, listing)));
  }
  add("resident memory after it all, MiB", server.resident / 2 ** 20);
}

/** Of a manifest that nobody has, with a new tag: of the image's repository, or of one that is new as well. */
async function measurePush(url: string, kind: Kind, image: Image, add: Add): Promise<void> {
  const number = Date.now();
  const name = kind === "repositories" ? `pushed/new-${number}` : image.name;
  if (name !== image.name) {
    await ask(url, "POST", `/v2/${name}/blobs/uploads/?mount=${image.blob}&from=${image.name}`, 201);
  }
  const manifest = manifestOf({ digest: image.blob, size: image.size }, [{ digest: image.blob, size: image.size }]);
  const another = Buffer.from(manifest.toString().replace("A benchmark", `Push ${number}`));
  add("push of one more manifest, ms", await timeOf(() => pushManifest(url, name, `pushed-${number}`, another)));
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function toTable(kind: Kind, figures: Figures): string {
  const lines = figures.rows.map((row) => [
    row,
    ...SIZES.map((size) => {
      const figure = figures.of(row, String(size)) ?? Number.NaN;
      return row.endsWith(", ms") ? milliseconds(figure) : rate(figure);
    }),
  ]);
  return table([kind, ...SIZES.map((size) => size.toLocaleString("en"))], lines);
}
