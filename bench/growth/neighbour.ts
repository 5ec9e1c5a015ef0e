/**
 * Takes or gives big blobs until it is ended: `neighbour.ts pull <URL of a blob> <MiB>` or `neighbour.ts push <URL of a
 * registry> <file>`. Prints MiB a second, a line a blob.
 */
import { BigFile, pullBig, pushBig } from "../speed/writes.ts";

const [what, url = "", more = ""] = process.argv.slice(2);
const file = what === "push" ? await BigFile.make(more) : undefined;
process.stdout.write("begins\n");
for (;;) {
  const perSecond = file ? (await pushBig(url, file)).rate : await pullBig(url, Number(more));
  process.stdout.write(`${perSecond}\n`);
}
