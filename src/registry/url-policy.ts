export type Matcher = (url: string) => boolean;

/** Where content that is not in the registry may be fetched from (foreign and non-distributable layers). */
export interface UrlPolicy {
  /** `undefined`: no list configured. */
  readonly allow?: Matcher | undefined;
  readonly deny?: Matcher | undefined;
  /** What holds where no list is configured, for Docker's foreign layers: the peers refuse every URL. */
  readonly foreignByDefault: boolean;
}

/**
 * @param kind Docker's foreign layers need an allow list; OCI's non-distributable ones only respect lists that are there
 * @returns what is wrong with the URL, or undefined
 * @see manifests, section 4.1
 */
export function urlProblem(policy: UrlPolicy, url: string, kind: "foreign" | "nondistributable"): string | undefined {
  if (!URL.canParse(url)) return "is no URL";
  const { protocol, hash } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") return "is neither http nor https";
  if (hash !== "" || url.includes("#")) return "has a fragment";
  const { allow, deny } = policy;
  if (deny?.(url)) return "is denied by validation.manifests.urls.deny";
  if (allow) return allow(url) ? undefined : "is not allowed by validation.manifests.urls.allow";
  if (deny || kind === "nondistributable" || policy.foreignByDefault) return undefined;
  return "is not allowed: configure validation.manifests.urls.allow";
}
