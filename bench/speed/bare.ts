import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/support/free-port.ts";
import type { TemporaryFolder } from "../../test/support/temporary-folder.ts";
import { ask } from "./ask.ts";
import { type PinnedServer, startPinned } from "./pinned.ts";
import { type Recorded, toRecorded } from "./reads.ts";

const PROGRAM = fileURLToPath(new URL("ceiling.ts", import.meta.url));

/** What answers as a registry did, from memory, and does nothing else: what then is slow is Node, or the load's own doing. */
export async function startBare(url: string, paths: readonly string[], folder: TemporaryFolder): Promise<PinnedServer> {
  const recorded: Record<string, Recorded> = {};
  const headers = { Accept: "application/vnd.oci.image.manifest.v1+json" };
  for (const path of paths) recorded[path] = toRecorded(await ask(url, "GET", path, 200, { headers }));
  const [file, port] = [folder.join("recorded.json"), await freePort()];
  await writeFile(file, JSON.stringify(recorded));
  const command = [process.execPath, PROGRAM, String(port), file] as const;
  return await startPinned({ command: [...command], port, log: folder.join("bare.log") });
}
