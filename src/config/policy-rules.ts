import type { Finding } from "./finding.ts";
import { find, type Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/** Those that a manifest can be of. */
const CLASSES: readonly string[] = ["image", "plugin"];

/** The peers take any text as a class, and then nothing is of it. */
export function policyFindings(root: Mapping): Finding[] {
  const list = find(root, ["policy", "repository", "classes"]);
  return list instanceof Sequence ? list.items.flatMap(ofClass) : [];
}

function ofClass(item: Tree): Finding[] {
  if (!(item instanceof Scalar) || CLASSES.includes(item.text)) return [];
  const accepted = CLASSES.join(" or ");
  const sentence = `policy.repository.classes has ${JSON.stringify(item.text)}, which no manifest is of, use ${accepted}`;
  return [{ about: `${item.where} ${sentence}`, where: item.where, sentence, fatal: false }];
}
