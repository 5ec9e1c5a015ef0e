/** Something in a configuration that its operator should know. It holds no secret. */
export interface Finding {
  /** What two findings have in common when one is enough. */
  readonly about: string;
  /** `file:line`, the name of a variable, or empty where the sentence says it. */
  readonly where: string;
  readonly sentence: string;
  /** Whether the configuration cannot be used with it. */
  readonly fatal: boolean;
}

export function toLine({ where, sentence }: Finding): string {
  return (where === "" ? sentence : `${where}: ${sentence}`).replaceAll(/\p{Cc}+/gu, " ");
}

/** The first of those about the same: what has no line, such as a variable, then the file from its top to its end. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const firsts = new Map(findings.toReversed().map((finding) => [subject(finding), finding]));
  const unique = findings.filter((finding) => firsts.get(subject(finding)) === finding);
  return unique.toSorted((a, b) => line(a) - line(b));
}

function subject({ about, fatal }: Finding): string {
  return `${fatal} ${about}`;
}

function line({ where }: Finding): number {
  return Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
}
