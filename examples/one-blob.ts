/** One blob of a registry: read in places, and served under every URL of a program's own server. */
import { createServer } from "node:http";
import { type BlobReader, blobHandler, digestOf, MemoryDriver, openRegistry, parseRepositoryName } from "wharfinger";

await using registry = openRegistry({ driver: new MemoryDriver() });
const { blobs, uploads } = registry.repository(parseRepositoryName("library/words"));
const bytes = Buffer.from("the keeper of the wharf\n");
const upload = await uploads.start();
const { digest } = await (await upload.append(bytes)).commit(digestOf(bytes));

const blob = await blobs.open(digest);
console.log(`${blob.descriptor.size} bytes, stored in ${blob.createdAt?.getUTCFullYear()}`);

await using reader = await blob.read({ start: 4, length: 19 });
console.log(await words(reader, 6));
reader.seek(18);
console.log(await words(reader, 5));

const server = createServer(blobHandler(blob));
server.listen(Number(process.argv[2] ?? 8080), () => {
  const address = server.address();
  console.log(`listening on ${typeof address === "object" ? address?.port : address}`);
});
await new Promise((resolve) => process.once("SIGTERM", resolve));
server.close();

/** A read may give less than was asked for. */
async function words(from: BlobReader, length: number): Promise<string> {
  const into = Buffer.alloc(length);
  for (let filled = 0; ; ) {
    const count = await from.read(into.subarray(filled));
    if (count === 0) return into.toString("utf8", 0, filled);
    filled += count;
  }
}
