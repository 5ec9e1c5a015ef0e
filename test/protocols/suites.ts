import type { ProtocolName } from "../support/protocol.ts";

/** Runs suites of the API over another protocol than plain HTTP/1, which they use by themselves. */
export async function importSuites(protocol: ProtocolName): Promise<void> {
  process.env["WHARFINGER_PROTOCOL"] = protocol;
  await import("../api/base.test.ts");
  await import("../api/blobs.test.ts");
  await import("../api/conformance.test.ts");
  await import("../api/uploads.test.ts");
}

/** As {@link importSuites}, with those in which less depends on the protocol. */
export async function importAllSuites(protocol: ProtocolName): Promise<void> {
  await importSuites(protocol);
  await import("../api/access.test.ts");
  await import("../api/catalog.test.ts");
  await import("../api/deletes.test.ts");
  await import("../api/hostile.test.ts");
  await import("../api/manifest-push.test.ts");
  await import("../api/manifests.test.ts");
  await import("../api/mounts.test.ts");
  await import("../api/referrers.test.ts");
  await import("../api/tags.test.ts");
}
