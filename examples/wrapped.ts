/** A registry, its storage and its repositories in wrappers of a program's own: whoever embeds it calls them itself. */
import {
  decorate,
  digestOf,
  MediaType,
  MemoryDriver,
  openRegistry,
  parseRepositoryName,
  parseTag,
  redirectToBase,
} from "wharfinger";
import { wrapRegistry } from "./hidden-repositories.ts";
import { wrapRepository } from "./immutable-tags.ts";
import { wrapDriver } from "./large-blobs.ts";

const elsewhere = redirectToBase(new MemoryDriver(), { baseurl: new URL("https://blobs.example.com") });
const driver = await wrapDriver(elsewhere, { least: 1000 });
const hiding = await wrapRegistry(openRegistry({ driver }), { prefix: "internal/" });
await using registry = decorate(hiding, {
  repository: (name) => wrapRepository(hiding.repository(name), { pattern: "^v\\d" }),
});

for (const name of ["internal/tool", "library/tool"].map(parseRepositoryName)) {
  const { blobs, uploads, manifests, tags } = registry.repository(name);
  const push = async (bytes: Uint8Array) => (await (await uploads.start()).append(bytes)).commit(digestOf(bytes));
  const layer = await push(Buffer.alloc(2000, "layer"));
  const config = await push(Buffer.from("{}"));
  for (const version of ["1", "2"]) {
    const document = {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [layer],
      annotations: { version },
    };
    const manifest = registry.kinds.parse(Buffer.from(JSON.stringify(document)), MediaType.ociManifest);
    await manifests.put(manifest, digestOf(manifest.bytes));
    await tags.set(parseTag("v1"), digestOf(manifest.bytes)).catch((error) => console.log(`${name}: ${error.detail}`));
  }
  const sent = await (await blobs.open(layer.digest)).redirect({ method: "GET" });
  const small = await (await blobs.open(config.digest)).redirect({ method: "GET" });
  console.log(`${name}: the layer comes from ${sent?.host}, the configuration from ${small?.host ?? "here"}`);
}
for await (const name of registry.repositories()) console.log(`the catalogue has ${name}`);
