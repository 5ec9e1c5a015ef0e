/** A signed kind of manifests that is not ours: a document is `{"payload": "<base64>", "seals": ["<hex>", …]}`. */
import { createHmac } from "node:crypto";
import { ManifestInvalid, ManifestUnverified } from "../../src/oci/errors.ts";
import type { ManifestKind } from "../../src/oci/manifest-kind.ts";
import { readDescriptors } from "../../src/oci/manifest-kind.ts";

export const SEALED = "application/vnd.example.sealed.v1+json";

export const sealedKind: ManifestKind = {
  mediaTypes: [SEALED],
  parse: (document, _mediaType, onFault) => ({ layers: readDescriptors(document, "parts", onFault), manifests: [] }),
  signing: {
    open(_document, { payload, seals }) {
      if (typeof payload !== "string" || !Array.isArray(seals)) throw new ManifestInvalid("expected payload and seals");
      return { payload: Buffer.from(payload, "base64"), signatures: seals.map((seal) => Buffer.from(String(seal))) };
    },
    async verify({ payload, signatures }) {
      const seal = sealOf(payload);
      if (signatures.length > 0 && signatures.every((one) => Buffer.from(one).toString() === seal)) return signatures;
      throw new ManifestUnverified("a seal is broken");
    },
    async print({ payload, signatures }) {
      const seals = signatures.map((one) => Buffer.from(one).toString());
      return toSealed(payload, seals.length > 0 ? seals : [sealOf(payload)]);
    },
  },
};

export function toSealed(payload: Uint8Array, seals: readonly string[] = [sealOf(payload)]): Buffer {
  return Buffer.from(JSON.stringify({ payload: Buffer.from(payload).toString("base64"), seals }));
}

function sealOf(payload: Uint8Array): string {
  return createHmac("sha256", "of the tests").update(payload).digest("hex");
}
