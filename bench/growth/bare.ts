import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/support/free-port.ts";
import type { TemporaryFolder } from "../../test/support/temporary-folder.ts";
import { ask } from "../speed/ask.ts";
import { type PinnedServer, startPinned } from "../speed/pinned.ts";
import { type Recorded, toRecorded } from "../speed/reads.ts";
import type { Image } from "./directory.ts";
import { READS } from "./rates.ts";

const PROGRAM = fileURLToPath(new URL("../speed/ceiling.ts", import.meta.url));

/** What answers as the registry did, from memory, and does nothing else: what then is slow is Node, or the load's own doing. */
export async function startBare(url: string, image: Image, folder: TemporaryFolder): Promise<PinnedServer> {
  const recorded: Record<string, Recorded> = {};
  const headers = { Accept: "application/vnd.oci.image.manifest.v1+json" };
  for (const { path } of READS)
    recorded[path(image)] = toRecorded(await ask(url, "GET", path(image), 200, { headers }));
  const [file, port] = [folder.join("recorded.json"), await freePort()];
  await writeFile(file, JSON.stringify(recorded));
  return await startPinned({
    command: [process.execPath, PROGRAM, String(port), file],
    port,
    log: folder.join("bare.log"),
  });
}
