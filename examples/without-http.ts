/** A registry without HTTP: stores an image in memory and reads it back by its tag. */
import { digestOf, MediaType, MemoryDriver, openRegistry, parseRepositoryName, parseTag } from "wharfinger";

await using registry = openRegistry({ driver: new MemoryDriver() });
const repository = registry.repository(parseRepositoryName("library/hello"));

async function push(text: string): Promise<{ digest: string; size: number }> {
  const bytes = Buffer.from(text);
  const upload = await repository.uploads.start();
  const whole = await upload.append(chunksOf(bytes));
  return await whole.commit(digestOf(bytes));
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const config = await push("{}");
const layer = await push("hello, wharf\n");
const document = JSON.stringify({
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: { mediaType: "application/vnd.example.config", ...config },
  layers: [{ mediaType: "text/plain", ...layer }],
});
const manifest = registry.kinds.parse(Buffer.from(document), MediaType.ociManifest);
const digest = digestOf(manifest.bytes);
await repository.manifests.put(manifest, digest);
await repository.tags.set(parseTag("v1"), digest);

for await (const tag of repository.tags.list()) {
  const stored = await repository.manifests.get(await repository.tags.resolve(tag));
  console.log(`${repository.name}:${tag} is ${stored.mediaType}, ${stored.bytes.length} bytes`);
}
