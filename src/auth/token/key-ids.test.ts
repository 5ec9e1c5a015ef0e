import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { idsOf, thumbprintOf } from "./key-ids.ts";

const X = "fMFrkmQSeB4Bj9ueb5zK47kItTEZjM2EVQ4yjvBsxBE";
const Y = "uyLaJzuVNWGZ0KBFdQoKSvq_xSLrmE5zHXi5Cl0twrM";

test("a key has its fingerprint of 2.x and its thumbprint", async () => {
  const jwk = { kty: "EC", crv: "P-256", x: X, y: Y };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  assert.deepEqual(idsOf(key), [
    "2XWQ:TIXD:WBJM:KFIX:PE2N:SMS4:R7O7:ZHPP:ESG4:TWPN:N2LE:S266", // observed on 2.8.2
    await calculateJwkThumbprint(jwk),
  ]);
});

for (const [type, options] of [
  ["rsa", { modulusLength: 2048 }],
  ["ed25519", {}],
  ["ec", { namedCurve: "P-521" }],
] as const) {
  test(`the thumbprint is that of RFC 7638: ${type}`, async () => {
    const { publicKey } = generateKeyPairSync(type as "ec", options as { namedCurve: string });
    const jwk = publicKey.export({ format: "jwk" });
    assert.equal(thumbprintOf({ ...jwk, kid: "ignored" }), await calculateJwkThumbprint(jwk));
    assert.ok(idsOf(publicKey).length >= 2);
  });
}

test("a key with a zero byte before a coordinate also has the name that 3.x gives it", async () => {
  const { key, x, y } = withShortCoordinate();
  const bare = { kty: "EC", crv: "P-256", x: stripped(x), y: stripped(y) };
  assert.equal(idsOf(key).length, 3);
  assert.ok(idsOf(key).includes(await calculateJwkThumbprint(bare)));
});

test("what is no public key has no thumbprint", () => {
  for (const jwk of [{}, { kty: "oct", k: "AAAA" }, { kty: "EC", crv: "P-256", x: X }, { kty: "constructor" }]) {
    assert.equal(thumbprintOf(jwk), undefined);
  }
});

function withShortCoordinate(): { readonly key: KeyObject; readonly x: string; readonly y: string } {
  for (;;) {
    const { publicKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = key.export({ format: "jwk" });
    if (x.startsWith("AA") || /^A[A-P]/.test(x)) if (Buffer.from(x, "base64url")[0] === 0) return { key, x, y };
  }
}

function stripped(coordinate: string): string {
  return Buffer.from(
    Buffer.from(coordinate, "base64url")
      .toString("hex")
      .replace(/^(?:00)+/, ""),
    "hex",
  ).toString("base64url");
}
