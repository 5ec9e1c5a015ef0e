import { builtInKinds } from "../../src/oci/built-in-kinds.ts";
import { ManifestKinds } from "../../src/oci/manifest-kinds.ts";

/** As a registry has them that takes no schema 1. */
export const KINDS: ManifestKinds = new ManifestKinds(builtInKinds());
