import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { UploadInvalid } from "../oci/errors.ts";
import { parseRepositoryName } from "../oci/names.ts";
import type { Upload } from "../registry/registry.ts";
import type { UploadId } from "../registry/upload-id.ts";
import { printToken, verifyToken } from "./upload-token.ts";

const SECRET = "secret of both";
const NAME = parseRepositoryName("a/b");
const ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

/** As the peers make one: the MAC of a message, then the message, in base64url with padding. */
function peersToken(message: string, secret = SECRET): string {
  const mac = createHmac("sha256", secret).update(message).digest();
  return Buffer.concat([mac, Buffer.from(message)])
    .toString("base64")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

function message(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ Name: NAME, UUID: ID, Offset: 7, StartedAt: "2026-11-21T02:50:40Z", ...fields });
}

test("a token reads as the peers' own", () => {
  const upload = { id: ID as UploadId, size: 7, startedAt: new Date("2026-11-21T02:50:40.500Z") } as Upload;
  const token = printToken(SECRET, NAME, upload);
  assert.equal(token.length % 4, 0);
  const bytes = Buffer.from(token, "base64url");
  const [mac, text] = [bytes.subarray(0, 32), bytes.subarray(32).toString()];
  assert.ok(mac.equals(createHmac("sha256", SECRET).update(text).digest()));
  assert.deepEqual(Object.keys(JSON.parse(text) as object), ["Name", "UUID", "Offset", "StartedAt"]);
  assert.equal(token, peersToken(text));
  const { StartedAt, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(rest, { Name: NAME, UUID: ID, Offset: 7 });
  assert.equal(Date.parse(String(StartedAt)), upload.startedAt.getTime());
});

test("a peer's token is taken, with nanoseconds or without, with padding or without", () => {
  for (const started of ["2026-11-21T02:50:40.123456789Z", "2026-11-21T02:50:40Z"]) {
    const token = peersToken(message({ StartedAt: started }));
    for (const text of [token, token.replaceAll("=", "")]) assert.equal(verifyToken(SECRET, text, NAME, ID), 7);
  }
});

test("a token of another secret, repository, session or kind is refused", () => {
  for (const token of [
    null,
    "",
    "AAAA",
    peersToken(message(), "another secret"),
    peersToken(message({ Name: "a" })),
    peersToken(message({ UUID: ID.replace("6", "7") })),
    peersToken(message({ Offset: "7" })),
    peersToken("{}"),
    peersToken(message()).slice(0, 40),
  ]) {
    assert.throws(() => verifyToken(SECRET, token, NAME, ID), UploadInvalid);
  }
});

test("timing: a token with any bit changed is refused", () => {
  const bytes = Buffer.from(peersToken(message()), "base64url");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), (bit) => {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verifyToken(SECRET, changed.toString("base64url"), NAME, ID), UploadInvalid);
    }),
    { numRuns: 500 },
  );
});
