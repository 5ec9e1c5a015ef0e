import { X509Certificate } from "node:crypto";
import { decodeBase64 } from "../../oci/schema1/base64.ts";
import { extensionsOf } from "./certificate-extensions.ts";
import { TokenInvalid } from "./token-invalid.ts";

export interface VerifiedLeaf {
  readonly certificate: X509Certificate;
  /** ms since 1970: when the first certificate of the chain is no longer valid. */
  readonly until: number;
}

/** Certificates that a token may bring. */
const LONGEST = 10;

/** Signatures that are verified for one token: its certificates may claim to vouch for each other in every order. */
const MOST_SIGNATURES = 30;

/**
 * Whether a chain leads from the first certificate to a root, over any of the others. Stricter than the peers: whoever
 * vouches must be a certificate authority by its own words, and no condition may be left that is not understood, such as
 * constraints of names. A first certificate that is itself a root needs nobody.
 *
 * @param x5c base64 of DER
 * @param now ms since 1970
 * @throws {TokenInvalid}
 * @see RFC 7515, section 4.1.6; RFC 5280, section 6
 */
export function verifyChain(x5c: unknown, roots: readonly X509Certificate[], now: number): VerifiedLeaf {
  const [leaf, ...others] = readCertificates(x5c);
  if (!leaf) throw new TokenInvalid("x5c is empty");
  const chain = new Search(roots, now).from(leaf, others, []);
  if (!chain) throw new TokenInvalid("no chain of valid certificates leads from x5c to a root certificate");
  return { certificate: leaf, until: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())) };
}

function readCertificates(x5c: unknown): readonly X509Certificate[] {
  if (!Array.isArray(x5c) || x5c.length > LONGEST) {
    throw new TokenInvalid(`x5c must be a list of up to ${LONGEST} certificates`);
  }
  return x5c.map((text) => {
    const der = typeof text === "string" ? decodeBase64(text) : undefined;
    try {
      if (der) return new X509Certificate(der);
    } catch {}
    throw new TokenInvalid("x5c has what is no certificate");
  });
}

type Chain = readonly X509Certificate[];

class Search {
  readonly #roots: readonly X509Certificate[];
  readonly #now: number;
  #signatures = 0;

  constructor(roots: readonly X509Certificate[], now: number) {
    this.#roots = roots;
    this.#now = now;
  }

  /** @param below what the certificate vouches for, the leaf first */
  from(certificate: X509Certificate, others: Chain, below: Chain): Chain | undefined {
    if (!this.#isSound(certificate)) return undefined;
    const chain = [...below, certificate];
    if (this.#roots.some(({ raw }) => raw.equals(certificate.raw))) return chain;
    const root = this.#roots.find((one) => this.#isSound(one) && this.#vouches(one, certificate, chain));
    return root ? [...chain, root] : this.#over(certificate, others, chain);
  }

  #over(certificate: X509Certificate, others: Chain, chain: Chain): Chain | undefined {
    for (const other of others) {
      if (!this.#vouches(other, certificate, chain)) continue;
      const rest = others.filter((one) => one !== other);
      const found = this.from(other, rest, chain);
      if (found) return found;
    }
    return undefined;
  }

  #isSound(certificate: X509Certificate): boolean {
    const { validFromDate, validToDate } = certificate;
    if (this.#now < validFromDate.getTime() || this.#now > validToDate.getTime()) return false;
    return !extensionsOf(certificate).hasUnknownCondition;
  }

  /** @param chain from the leaf to `subject`; what stands between the leaf and the issuer counts for its path length */
  #vouches(issuer: X509Certificate, subject: X509Certificate, chain: Chain): boolean {
    if (!issuer.ca || !subject.checkIssued(issuer) || isWeak(subject)) return false;
    const { pathLength = Number.POSITIVE_INFINITY } = extensionsOf(issuer);
    if (chain.length - 1 > pathLength) return false;
    if (++this.#signatures > MOST_SIGNATURES) throw new TokenInvalid("the certificates of x5c vouch for each other");
    return subject.verify(issuer.publicKey);
  }
}

/** Such signatures can be made for another certificate than the one that was signed. */
function isWeak({ signatureAlgorithm = "" }: X509Certificate): boolean {
  return /md[245]|sha-?1(?!\d)/i.test(signatureAlgorithm);
}
