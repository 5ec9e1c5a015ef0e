/**
 * Signed schema 1 manifests, made from manifests.md, sections 5 and 6, and from RFC 7515 alone: nothing of src/ is used,
 * so that what this says and what the registry reads agree only where both are right.
 */
import assert from "node:assert/strict";
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";

export interface Signer {
  readonly alg: "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512";
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface SignedFixture {
  readonly payload: Buffer;
  readonly document: Buffer;
  readonly signatures: readonly FixtureSignature[];
}

export interface FixtureSignature {
  readonly header: { jwk?: Record<string, unknown>; alg: string; x5c?: string[] };
  readonly signature: string;
  readonly protected: string;
}

export interface FixtureOptions {
  /** In the place of the key's own JWK, or with certificates beside it. */
  readonly header?: (signer: Signer) => FixtureSignature["header"];
  /** Laid over the protected header. */
  readonly protected?: Readonly<Record<string, unknown>>;
  /** Of the payload; one line when not given. */
  readonly indent?: string;
}

const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const;

export function ecSigner(alg: keyof typeof CURVES = "ES256"): Signer {
  return { alg, ...generateKeyPairSync("ec", { namedCurve: CURVES[alg] }) };
}

export function rsaSigner(alg: "RS256" | "RS384" | "RS512" = "RS256", modulusLength = 2048): Signer {
  return { alg, ...generateKeyPairSync("rsa", { modulusLength }) };
}

/** A manifest's members as they were in 2015; `over` is laid over them. */
export function schema1Fields(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schemaVersion: 1,
    name: "library/old",
    tag: "v1",
    architecture: "amd64",
    fsLayers: [2, 1].map((n) => ({ blobSum: `sha256:${String(n).repeat(64)}` })),
    history: [2, 1].map((n) => ({ v1Compatibility: JSON.stringify({ id: String(n).repeat(64), äöü: "<&>" }) })),
    ...over,
  };
}

/** A payload with a list of signatures as its last member. */
export function signedFixture(
  fields: Readonly<Record<string, unknown>>,
  signers: readonly Signer[],
  options: FixtureOptions = {},
): SignedFixture {
  const payload = Buffer.from(JSON.stringify(fields, null, options.indent));
  const signatures = signers.map((signer) => signatureOf(payload, signer, options));
  return { payload, signatures, document: joined(payload, signatures, options.indent) };
}

export function signatureOf(payload: Buffer, signer: Signer, options: FixtureOptions = {}): FixtureSignature {
  const { length, tail } = cutOf(payload);
  const header = {
    formatLength: length,
    formatTail: base64url(tail),
    time: "2015-04-16T21:17:38Z",
    ...options.protected,
  };
  const encoded = base64url(JSON.stringify(header));
  const input = Buffer.from(`${encoded}.${base64url(payload)}`);
  const signature = sign(`sha${signer.alg.slice(2)}`, input, { key: signer.privateKey, dsaEncoding: "ieee-p1363" });
  const { alg } = signer;
  return {
    header: options.header?.(signer) ?? { jwk: jwkOf(signer.publicKey), alg },
    signature: base64url(signature),
    protected: encoded,
  };
}

/** The document of a payload and any value for its signatures. */
export function joined(payload: Buffer, signatures: unknown, indent?: string): Buffer {
  const list = JSON.stringify(signatures, null, indent);
  const member =
    indent === undefined ? `,"signatures":${list}}` : `,\n${indent}"signatures": ${shifted(list, indent)}\n}`;
  return Buffer.concat([payload.subarray(0, cutOf(payload).length), Buffer.from(member)]);
}

/** The payload of a document, all of whose signatures must hold. */
export function verifiedPayload(document: Buffer): Buffer {
  const { signatures } = JSON.parse(document.toString()) as { readonly signatures: readonly FixtureSignature[] };
  const [payload, ...others] = signatures.map((signature) => verifiedBy(document, signature));
  assert.ok(payload, "a document without signatures");
  for (const other of others) assert.deepEqual(other, payload);
  return payload;
}

function verifiedBy(document: Buffer, { header, signature, protected: encoded }: FixtureSignature): Buffer {
  const { formatLength, formatTail } = JSON.parse(Buffer.from(encoded, "base64url").toString());
  const payload = Buffer.concat([document.subarray(0, formatLength), Buffer.from(formatTail, "base64url")]);
  const key = header.x5c
    ? new X509Certificate(Buffer.from(header.x5c[0] ?? "", "base64")).publicKey
    : createPublicKey({ key: header.jwk as Record<string, string>, format: "jwk" });
  const input = Buffer.from(`${encoded}.${base64url(payload)}`);
  const bytes = Buffer.from(signature, "base64url");
  const holds = verify(`sha${header.alg.slice(2)}`, input, { key, dsaEncoding: "ieee-p1363" }, bytes);
  assert.ok(holds, "a signature that does not hold");
  return payload;
}

export function jwkOf(publicKey: KeyObject): Record<string, string> {
  const members = { ...(publicKey.export({ format: "jwk" }) as Record<string, string>), kid: fingerprintOf(publicKey) };
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => a.localeCompare(b)));
}

export function fingerprintOf(publicKey: KeyObject): string {
  const sum = createHash("sha256")
    .update(publicKey.export({ format: "der", type: "spki" }))
    .digest();
  const bits = [...sum.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)],
  );
  return Array.from({ length: 12 }, (_, group) => letters.slice(4 * group, 4 * group + 4).join("")).join(":");
}

/**
 * A certificate, as far as its reader looks: X.509 v1 with a key and a signature that is none.
 * @returns base64 of DER
 */
export function certificateOf(publicKey: KeyObject): string {
  const [SEQUENCE, SET, INTEGER, BITS, OBJECT, TEXT, TIME] = [0x30, 0x31, 2, 3, 6, 12, 23];
  const algorithm = der(SEQUENCE, der(OBJECT, Buffer.from("2a8648ce3d040302", "hex")));
  const commonName = der(SEQUENCE, der(OBJECT, Buffer.from("550403", "hex")), der(TEXT, Buffer.from("of a test")));
  const name = der(SEQUENCE, der(SET, commonName));
  const validity = der(SEQUENCE, der(TIME, Buffer.from("150101000000Z")), der(TIME, Buffer.from("160101000000Z")));
  const key = publicKey.export({ format: "der", type: "spki" });
  const body = der(SEQUENCE, der(INTEGER, Buffer.from([1])), algorithm, name, validity, name, key);
  return der(SEQUENCE, body, algorithm, der(BITS, Buffer.from([0, 1]))).toString("base64");
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** The tail is everything from the white space before the last brace on. */
function cutOf(payload: Buffer): { readonly length: number; readonly tail: string } {
  const tail = /\s*\}\s*$/.exec(payload.toString("latin1"))?.[0] ?? "";
  return { length: payload.length - tail.length, tail };
}

function shifted(text: string, indent: string): string {
  return text.split("\n").join(`\n${indent}`);
}

function base64url(content: string | Buffer): string {
  return Buffer.from(content as Buffer).toString("base64url");
}
