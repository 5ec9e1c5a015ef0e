import { startBare } from "../speed/bare.ts";
import { table } from "../tables.ts";
import { GrowthDirectory } from "./directory.ts";
import { milliseconds, quantiles, rate } from "./latencies.ts";
import { askSteadily } from "./open-loop.ts";
import { measureRate, pathsOf, READS } from "./rates.ts";
import { GrowthServer } from "./server.ts";
import type { Growing } from "./sizes.ts";

const CONNECTIONS = 64;
/** Of the highest rate. */
export const SHARE = 0.7;
/** Times those of a read: of 1,000 requests one counts. */
export const LONGER = 5;

/** At a part of the highest rate, which is measured just before. */
export async function measureUnderLoad({ folder, seconds, say }: Growing): Promise<string> {
  const place = folder.join("load");
  const { image } = new GrowthDirectory(place);
  await using server = await GrowthServer.open(place);
  await using bare = await startBare(server.url, pathsOf(image), folder);
  const lines: string[][] = [];
  for (const read of READS) {
    const highest = await measureRate(server.url, read, image, { seconds, connections: CONNECTIONS });
    const perSecond = highest.perSecond * SHARE;
    const asking = { ...read, path: read.path(image), connections: CONNECTIONS, perSecond, seconds: seconds * LONGER };
    await server.delay();
    const taken = await askSteadily({ ...asking, url: server.url });
    const { p50, p99, longest } = await server.delay();
    const delays = [p50, p99, longest].map(milliseconds);
    lines.push([read.what, rate(perSecond), ...quantiles(taken), ...delays]);
    const floor = await askSteadily({ ...asking, url: bare.url });
    lines.push([`${read.what}, bare server`, rate(perSecond), ...quantiles(floor), "", "", ""]);
    say(`${read.what}, ${rate(perSecond)}/s: ${quantiles(taken).join(" ")} ms, bare ${quantiles(floor).join(" ")} ms`);
  }
  const loop = ["p50", "p99", "longest"].map((figure) => `loop late: ${figure}, ms`);
  return table(["", "/s", "p50, ms", "p99, ms", "p99.9, ms", "longest, ms", ...loop], lines);
}
