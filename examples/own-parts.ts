/** Parts of one's own, passed in: stores a model and reads it back. */
import { digestOf, openRegistry, parseRepositoryName } from "wharfinger";
import { openDriver } from "./limited-memory.ts";
import { manifestKind } from "./model-manifest.ts";

const driver = await openDriver({ limit: 1_000_000 }, { writable: true });
await using registry = openRegistry({ driver, kinds: [manifestKind] });
const models = registry.repository(parseRepositoryName("models/small"));

const bytes = Buffer.alloc(1000, "weights");
const upload = await models.uploads.start();
const { digest, size } = await (await upload.append(bytes)).commit(digestOf(bytes));

const document = JSON.stringify({
  schemaVersion: 2,
  mediaType: manifestKind.mediaTypes[0],
  weights: [{ mediaType: "application/octet-stream", digest, size }],
});
const manifest = registry.kinds.parse(Buffer.from(document), undefined);
const name = digestOf(manifest.bytes);
await models.manifests.put(manifest, name);

const stored = await models.manifests.get(name);
const { layers } = registry.kinds.read(stored.bytes);
console.log(`${stored.mediaType} with ${layers[0]?.size} bytes of weights`);
