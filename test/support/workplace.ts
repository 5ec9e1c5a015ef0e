import { randomUUID } from "node:crypto";
import { ContainerTools } from "./container-tools.ts";
import type { Image } from "./image.ts";
import { writeOciLayout } from "./oci-layout.ts";
import { RegistryClient } from "./registry-client.ts";
import { type Configuration, type RegistryProcess, startRegistry } from "./registry-process.ts";
import { makeSamples, type Samples } from "./samples.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
import { gatewayParameters } from "./versitygw.ts";

/** What a suite of a client works with: a registry of its own, the client, images to push. */
export interface Workplace extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly registry: RegistryProcess;
  readonly http: RegistryClient;
  readonly tools: ContainerTools;
  readonly samples: Samples;
  /** The samples as an OCI layout: the folder that `oci:FOLDER:oci`, `oci:FOLDER:index` … read. */
  readonly layout: string;
}

export async function openWorkplace(): Promise<Workplace> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("client"));
  const registry = stack.use(
    await startRegistry("wharfinger", { rootDirectory: folder.join("registry"), driver: sharedBucket() }),
  );
  const samples = await makeSamples(folder.path);
  const layout = folder.join("samples");
  await writeOciLayout(layout, taggedSamples(samples));
  const tools = await ContainerTools.create(folder);
  const end = stack.move();
  const http = new RegistryClient(registry.url);
  return { folder, registry, http, tools, samples, layout, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** For an empty registry; nothing where it is not `npm run test:backends`, which starts a server of S3 and says on which port. */
export function sharedBucket(): Configuration | undefined {
  const port = process.env["WHARFINGER_TEST_S3"];
  return port ? { s3: gatewayParameters(Number(port), { rootdirectory: randomUUID() }) } : undefined;
}

function taggedSamples(samples: Samples): Readonly<Record<string, Image>> {
  const { oci, zstd, layerless, index } = samples;
  return { oci, zstd, layerless, index };
}
