import type { Descriptor } from "../oci/descriptor.ts";
import type { UrlPolicy } from "./url-policy.ts";

/** What the configuration asks of a manifest's references (`validation`). */
export interface ReferenceRules {
  readonly urls: UrlPolicy;
  /** Whether a child of an index must be there before the index is. */
  readonly requiresChild: (child: Descriptor) => boolean;
}
