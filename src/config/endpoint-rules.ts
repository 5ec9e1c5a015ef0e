import { isHttpUrl } from "../lib/outgoing-url.ts";
import type { Finding } from "./finding.ts";
import { find, type Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/** Endpoints of notifications to which nothing can be sent: the peers take any URL, and so do we. */
export function endpointFindings(root: Mapping): Finding[] {
  const list = find(root, ["notifications", "endpoints"]);
  return list instanceof Sequence ? list.items.flatMap(ofEndpoint) : [];
}

/** What was found is not quoted: it may be a secret. */
function ofEndpoint(endpoint: Tree, index: number): Finding[] {
  const [url, disabled] = ["url", "disabled"].map((key) => find(endpoint, [key]));
  const isOff = disabled instanceof Scalar && disabled.value === true;
  if (!(url instanceof Scalar) || url.text === "" || isOff || isHttpUrl(url.text)) return [];
  const key = `notifications.endpoints[${index}].url`;
  const sentence = `${key} does not begin with http:// or https://, so the endpoint gets nothing`;
  return [{ about: key, where: url.where, sentence, fatal: false }];
}
