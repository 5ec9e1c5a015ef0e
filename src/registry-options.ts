/** What a configuration says of a registry, in the registry's own words. */
import { availableParallelism } from "node:os";
import type { Config, Schema1Config, UrlPattern, ValidationConfig } from "./config/config.ts";
import { builtInKinds } from "./oci/built-in-kinds.ts";
import { ManifestKinds } from "./oci/manifest-kinds.ts";
import type { Schema1Options } from "./oci/schema1/kind.ts";
import { loadOwnKinds } from "./own-parts.ts";
import type { RegistryOptions } from "./registry/context.ts";
import type { ReferenceRules } from "./registry/reference-rules.ts";
import type { Matcher } from "./registry/url-policy.ts";

/**
 * @param folder from where modules are looked up
 * @throws {ConfigError}
 */
export async function loadKinds({ wharfinger, compatibility }: Config, folder: string): Promise<ManifestKinds> {
  const builtIn = builtInKinds(await toSchema1Options(compatibility.schema1));
  return new ManifestKinds([...builtIn, ...(await loadOwnKinds(wharfinger.manifestkinds, folder, builtIn))]);
}

/** @throws {ConfigError} */
async function toSchema1Options({ enabled, signingkeyfile }: Schema1Config): Promise<Schema1Options> {
  if (signingkeyfile === undefined) return { enabled };
  const { readSigningKey } = await import("./signing-key-file.ts");
  return { enabled, key: readSigningKey(signingkeyfile) };
}

export function toRegistryOptions({ storage, validation, compatibility, wharfinger }: Config): RegistryOptions {
  return {
    deletion: storage.delete.enabled,
    readOnly: storage.maintenance.readonly.enabled,
    redirect: !storage.redirect.disable,
    references: toReferenceRules(validation),
    schema1: compatibility.schema1.enabled,
    exclusive: wharfinger.exclusive,
    tagConcurrency: storage.tag.concurrencylimit || availableParallelism(),
  };
}

function toReferenceRules({ disabled, manifests }: ValidationConfig): ReferenceRules {
  const { urls, indexes } = manifests;
  const listed = new Set(indexes.platformlist.map(({ os, architecture }) => `${os}/${architecture}`));
  return {
    urls: {
      allow: disabled ? undefined : anyOf(urls.allow),
      deny: disabled ? undefined : anyOf(urls.deny),
      foreignByDefault: disabled,
    },
    requiresChild: ({ platform }) => {
      if (indexes.platforms !== "list") return indexes.platforms === "all";
      return platform !== undefined && listed.has(`${platform.os}/${platform.architecture}`);
    },
  };
}

/** The peers join patterns by `or`; no list is another thing than an empty one. */
function anyOf(patterns: readonly UrlPattern[]): Matcher | undefined {
  return patterns.length > 0 ? (url) => patterns.some((pattern) => pattern.test(url)) : undefined;
}
