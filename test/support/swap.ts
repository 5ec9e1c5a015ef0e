import { RegistryClient } from "./registry-client.ts";
import { type Configuration, type RegistryKind, type RegistryProcess, startRegistry } from "./registry-process.ts";

/** Each of the two registries as the first, with the other as the second. */
export const DIRECTIONS: readonly (readonly [first: RegistryKind, second: RegistryKind])[] = [
  ["docker-registry", "wharfinger"],
  ["wharfinger", "docker-registry"],
];

export interface RunningRegistry extends AsyncDisposable {
  readonly kind: RegistryKind;
  readonly process: RegistryProcess;
  readonly http: RegistryClient;
}

/** A registry over a directory that another may have filled, or is using now. */
export async function openRegistry(
  kind: RegistryKind,
  rootDirectory: string,
  configuration: Configuration = {},
): Promise<RunningRegistry> {
  const process = await startRegistry(kind, { rootDirectory, configuration });
  const http = new RegistryClient(process.url);
  return { kind, process, http, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** A registry over a bucket that another may have filled, or is using now. */
export async function openRegistryOn(kind: RegistryKind, s3: Configuration): Promise<RunningRegistry> {
  const env = { AWS_CA_BUNDLE: "" }; // with one the old registry does not start
  const configuration = { storage: { redirect: { disable: true } } };
  const process = await startRegistry(kind, { rootDirectory: "", driver: { s3 }, configuration, env });
  const http = new RegistryClient(process.url);
  return { kind, process, http, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** Runs `work` with a registry that is stopped afterwards, so that the next one has the directory to itself. */
export async function withRegistry(
  kind: RegistryKind,
  rootDirectory: string,
  work: (registry: RunningRegistry) => Promise<void>,
): Promise<void> {
  await using registry = await openRegistry(kind, rootDirectory);
  await work(registry);
}
