import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { getCACertificates } from "node:tls";
import { trustSystemCertificates } from "./system-certificates.ts";

test("the machine's authorities are trusted besides those that were", () => {
  const expected = fingerprints([...getCACertificates("default"), ...getCACertificates("system")]);
  trustSystemCertificates();
  assert.deepEqual(fingerprints(getCACertificates("default")), expected);
});

/** The same certificate may be written in several ways. */
function fingerprints(certificates: readonly string[]): readonly string[] {
  return [...new Set(certificates.map((text) => new X509Certificate(text).fingerprint256))].sort();
}
