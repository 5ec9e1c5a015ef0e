/** @see RFC 8555 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { axios, Client, crypto, directory } from "acme-client";
import type { AcmeCache } from "./acme-cache.ts";
import type { Issuer } from "./acme-tls.ts";

export interface IssuerOptions {
  /** Not set: Let's Encrypt. */
  readonly directoryurl?: string | undefined;
  readonly email?: string | undefined;
}

/**
 * The library asks again for more than a minute where it gets no answer, and then says nothing of why. Who calls an issuer
 * tries again anyway.
 */
function failAtOnce(): void {
  axios.interceptors.response.clear();
  axios.interceptors.response.use(null, (error: Failed) => {
    const { response, config } = error;
    const isGood = response && (config?.retryValidateStatus?.(response.status) ?? true); // the library's name for its own
    if (!isGood) throw error;
    return response;
  });
}

/** Every answer comes as a failure, because the library takes none for a success before it has looked itself. */
interface Failed extends Error {
  readonly response?: { readonly status: number };
  readonly config?: { readonly retryValidateStatus?: ((status: number) => boolean) | null };
}

/** Gets certificates from an authority, whose terms the operator agrees to by configuring it. */
export function openIssuer(cache: AcmeCache, { directoryurl, email }: IssuerOptions): Issuer {
  failAtOnce();
  const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
  let account: Promise<unknown> | undefined;
  /** Names are asked for at once, and an authority may refuse one of two new accounts with the same key. */
  const register = async (client: Client): Promise<void> => {
    account ??= client.createAccount({ termsOfServiceAgreed: true, ...contact });
    await account.catch((error: unknown) => {
      account = undefined;
      throw error;
    });
  };
  return async (host, show) => {
    const accountKey = inPkcs8(cache.accountKey(ecdsaKey));
    const client = new Client({ directoryUrl: directoryurl ?? directory.letsencrypt.production, accountKey });
    const [key, csr] = await crypto.createCsr({ altNames: [host] }, ecdsaKey());
    let shown: Disposable | undefined;
    await register(client);
    try {
      const cert = await client.auto({
        csr,
        ...(email !== undefined && { email }),
        termsOfServiceAgreed: true,
        challengePriority: ["tls-alpn-01"],
        skipChallengeVerification: true,
        challengeCreateFn: async (authorization, _challenge, proof) => {
          const [proofKey, proofCert] = await crypto.createAlpnCertificate(authorization, proof);
          shown = show({ key: proofKey.toString(), cert: proofCert.toString() });
        },
        challengeRemoveFn: async () => shown?.[Symbol.dispose](),
      });
      return { key: key.toString(), cert };
    } finally {
      shown?.[Symbol.dispose]();
    }
  };
}

function ecdsaKey(): string {
  return inPkcs8(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

/** The only form that the library reads; the peers keep theirs in another one, and read both. */
function inPkcs8(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
