import { table } from "../tables.ts";
import { GrowthDirectory } from "./directory.ts";
import { milliseconds, rate } from "./latencies.ts";
import { measureRate, READS } from "./rates.ts";
import { GrowthServer } from "./server.ts";
import type { Growing } from "./sizes.ts";

const CONNECTIONS = [10, 100, 1000] as const;

/** As many requests at a time as there are connections. */
export async function measureConnections({ folder, seconds, say }: Growing): Promise<string> {
  const place = folder.join("connections");
  const { image } = new GrowthDirectory(place);
  await using server = await GrowthServer.open(place);
  const lines: string[][] = [];
  for (const read of READS) {
    for (const connections of CONNECTIONS) {
      const { perSecond, p50, p99 } = await measureRate(server.url, read, image, { seconds, connections });
      say(`${read.what}, ${connections} connections: ${rate(perSecond)}/s`);
      lines.push([read.what, String(connections), rate(perSecond), milliseconds(p50), milliseconds(p99)]);
    }
  }
  return table(["", "connections", "/s", "p50, ms", "p99, ms"], lines);
}
