/** `pusher.ts <URL> <N>`: pushes N small images, eight at once, and prints how many a second that were. */
import { randomBytes } from "node:crypto";
import { manifestOf, pushBlob, pushManifest } from "./content.ts";

const [url = "", count] = process.argv.slice(2);
const TOGETHER = 8;
const LAYER = 4096;
const CONFIG = 600;
const run = randomBytes(4).toString("hex");

let next = 0;
const begun = performance.now();
await Promise.all(Array.from({ length: TOGETHER }, (_, pusher) => pushFrom(pusher)));
process.stdout.write(String((Number(count) * 1000) / (performance.now() - begun)));

async function pushFrom(pusher: number): Promise<void> {
  while (next < Number(count)) await pushImage(`push/${run}/${pusher}`, `v${next++}`);
}

async function pushImage(name: string, tag: string): Promise<void> {
  const [config, ...layers] = await Promise.all(
    [CONFIG, LAYER, LAYER].map(async (size) => ({ digest: await pushBlob(url, name, randomBytes(size)), size })),
  );
  if (config) await pushManifest(url, name, tag, manifestOf(config, layers));
}
