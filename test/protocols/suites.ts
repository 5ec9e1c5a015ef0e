import type { ProtocolName } from "../support/protocol.ts";

/**
 * Runs suites of the API over another protocol than plain HTTP/1, which they use by themselves: those of the base and of
 * blobs, where heads, bodies and errors are another code of the runtime's.
 */
export async function importSuites(protocol: ProtocolName): Promise<void> {
  process.env["WHARFINGER_PROTOCOL"] = protocol;
  await import("../api/base.test.ts");
  await import("../api/blobs.test.ts");
}

/**
 * As {@link importSuites}, with uploads, hostile requests, and every route by way of the conformance. The suites of
 * manifests, tags, referrers and the like have one code for every protocol below their answers, which the conformance sees.
 */
export async function importAllSuites(protocol: ProtocolName): Promise<void> {
  await importSuites(protocol);
  await import("../api/access.test.ts");
  await import("../api/conformance.test.ts");
  await import("../api/hostile.test.ts");
  await import("../api/manifest-push.test.ts");
  await import("../api/uploads.test.ts");
}
