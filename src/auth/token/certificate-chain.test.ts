import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { AUTHORITY, type Issued, issue, x5cOf } from "../../../test/support/certificates.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { verifyChain } from "./certificate-chain.ts";
import { extensionsOf } from "./certificate-extensions.ts";
import { TokenInvalid } from "./token-invalid.ts";

const DAY = 24 * 3_600_000;

describe("a chain of certificates", () => {
  let folder: TemporaryFolder;
  let root: Issued;
  let middle: Issued;
  let leaf: Issued;
  const now = Date.now() + 600_000; // after all certificates were made

  before(async () => {
    folder = await temporaryFolder("chain");
    root = await issue(folder, "root", { extensions: [AUTHORITY] });
    middle = await issue(folder, "middle", { issuer: root, extensions: [AUTHORITY], days: 3 });
    leaf = await issue(folder, "leaf", { issuer: middle, days: 5 });
  });
  after(() => folder[Symbol.asyncDispose]());

  const verify = (chain: readonly Issued[], roots: readonly Issued[] = [root], at = now): Issued | undefined => {
    const { certificate } = verifyChain(
      x5cOf(...chain),
      roots.map((one) => one.certificate),
      at,
    );
    return chain.find((one) => one.certificate.raw.equals(certificate.raw));
  };
  const refuses = (chain: readonly Issued[], roots: readonly Issued[] = [root], at = now): void =>
    assert.throws(() => verify(chain, roots, at), TokenInvalid);

  test("that leads to a root gives its first certificate, until the first of them expires", () => {
    assert.equal(verify([leaf, middle]), leaf);
    assert.equal(verify([leaf, middle, root]), leaf);
    assert.equal(verify([middle]), middle);
    const { until } = verifyChain(x5cOf(leaf, middle), [root.certificate], now);
    assert.equal(until, middle.certificate.validToDate.getTime());
  });

  test("may be in another order behind the first, with others that are of no use", async () => {
    const other = await issue(folder, "other", { extensions: [AUTHORITY] });
    assert.equal(verify([leaf, root, other, middle]), leaf);
  });

  test("the first certificate is the one that signed, whatever follows", () => {
    assert.equal(verify([middle, leaf]), middle);
    assert.equal(verify([root]), root);
  });

  test("needs nobody where the first certificate is itself a root, authority or not", async () => {
    const alone = await issue(folder, "alone");
    assert.equal(verify([alone], [root, alone]), alone);
    assert.equal(verify([leaf], [leaf]), leaf);
  });

  test("self-signed leaf: nobody vouches for it, whatever it is called", async () => {
    refuses([await issue(folder, "leaf")]);
    refuses([await issue(folder, "root", { extensions: [AUTHORITY] })]);
    refuses([await issue(folder, "root")], [middle]);
  });

  test("a missing certificate between leaves no way to the root", () => {
    refuses([leaf]);
    refuses([leaf, root]);
  });

  test("expired intermediate: counts neither after its time nor before it", () => {
    assert.equal(verify([leaf, middle], [root], now + 2 * DAY), leaf);
    refuses([leaf, middle], [root], now + 4 * DAY);
    refuses([leaf, middle], [root], now - DAY);
    refuses([leaf, middle], [root, middle], now + 4 * DAY);
    refuses([leaf], [leaf], now + 6 * DAY);
  });

  test("expired root: vouches for nobody", () => refuses([leaf, middle], [root], now + 11 * DAY));

  test("wrong CA flag: who is no authority vouches for nobody", async () => {
    const plain = await issue(folder, "plain", { issuer: root });
    const denied = await issue(folder, "denied", { issuer: root, extensions: ["basicConstraints=critical,CA:FALSE"] });
    const unfit = await issue(folder, "unfit", {
      issuer: root,
      extensions: [AUTHORITY, "keyUsage=critical,digitalSignature"],
    });
    for (const issuer of [plain, denied, unfit]) {
      refuses([await issue(folder, "below", { issuer }), issuer]);
      refuses([await issue(folder, "below", { issuer })], [issuer]);
    }
  });

  test("path length: only so many authorities follow", async () => {
    const limited = (name: string, length: number, issuer: Issued): Promise<Issued> =>
      issue(folder, name, { issuer, extensions: [`${AUTHORITY},pathlen:${length}`] });
    const zero = await limited("zero", 0, root);
    assert.equal(extensionsOf(zero.certificate).pathLength, 0);
    const direct = await issue(folder, "direct", { issuer: zero });
    assert.equal(verify([direct, zero]), direct);
    const below = await issue(folder, "below", { issuer: zero, extensions: [AUTHORITY] });
    refuses([await issue(folder, "too far", { issuer: below }), below, zero]);
    const one = await limited("one", 1, root);
    const inner = await limited("inner", 300, one);
    assert.equal(extensionsOf(inner.certificate).pathLength, 300);
    const reached = await issue(folder, "reached", { issuer: inner });
    assert.equal(verify([reached, inner, one]), reached);
  });

  test("name chaining: a name that fits is no signature", async () => {
    const impostor = await issue(folder, "middle", { extensions: [AUTHORITY] });
    const forged = await issue(folder, "forged", { issuer: impostor });
    refuses([forged, middle]);
    refuses([forged, impostor, middle]);
    const renamed = await issue(folder, "renamed", {
      issuer: { ...root, certificatePath: middle.certificatePath, keyPath: middle.keyPath },
    });
    refuses([renamed], [root]);
  });

  test("a condition that nobody understands is not met", async () => {
    const bound = await issue(folder, "bound", {
      issuer: root,
      extensions: [AUTHORITY, "nameConstraints=critical,permitted;DNS:example.com"],
    });
    refuses([await issue(folder, "below", { issuer: bound }), bound]);
    refuses([await issue(folder, "odd", { issuer: root, extensions: ["1.2.3.4=critical,ASN1:UTF8String:x"] })]);
    const remark = await issue(folder, "remark", { issuer: root, extensions: ["1.2.3.4=ASN1:UTF8String:x"] });
    assert.equal(verify([remark]), remark);
  });

  test("any extended key usage will do", async () => {
    const client = await issue(folder, "client", {
      issuer: root,
      extensions: ["extendedKeyUsage=critical,clientAuth"],
    });
    assert.equal(verify([client]), client);
  });

  test("SHA-1 signs nothing", async () => {
    refuses([await issue(folder, "old", { issuer: root, hash: "sha1" })]);
  });

  test("long chains are bounded, and so is the work for them", async () => {
    refuses([leaf, middle, ...Array.from({ length: 9 }, () => root)]);
    const same: Issued[] = [];
    for (let i = 0; i < 2; i++) same.push(await issue(folder, "same", { extensions: [AUTHORITY] }));
    const [signer] = same;
    const end = await issue(folder, "end", { ...(signer && { issuer: signer }) });
    const crossed = Array.from({ length: 9 }, (_, index) => same[index % 2] as Issued);
    assert.throws(() => verify([end, ...crossed]), /vouch for each other/);
  });

  test("what is no list of certificates is refused by name", () => {
    const roots = [root.certificate];
    for (const x5c of [undefined, null, "x", {}, [], [1], [""], ["AAAA"], ["!"], [leaf.pem], [[...x5cOf(leaf)]]]) {
      assert.throws(() => verifyChain(x5c, roots, now), TokenInvalid);
    }
  });

  test("a damaged certificate is refused, whichever bit it is", () => {
    const { raw } = middle.certificate;
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const damaged = Buffer.from(raw);
        damaged[index] = (damaged[index] ?? 0) ^ mask;
        assert.throws(() => verifyChain([damaged.toString("base64")], [root.certificate], now));
      }),
      { numRuns: 300 },
    );
  });
});
