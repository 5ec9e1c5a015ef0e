import type { X509Certificate } from "node:crypto";
import { type Element, elements, firstElement } from "./der.ts";

/** What Node does not tell of a certificate. */
export interface Extensions {
  /** How many certificates that vouch may stand between it and the last one; not set: any number. */
  readonly pathLength: number | undefined;
  /** Whether it makes a condition that nobody here understands. */
  readonly hasUnknownCondition: boolean;
}

const [BOOLEAN, INTEGER, OCTETS, IDENTIFIER, SEQUENCE, EXTENSIONS] = [0x01, 0x02, 0x04, 0x06, 0x30, 0xa3];

const BASIC_CONSTRAINTS = "551d13";

/**
 * Key usage, subject alternative name, basic constraints, policies, extended key usage, by their identifiers. The first is
 * honoured by Node, any extended usage will do, and names and policies mean nothing to tokens.
 */
const UNDERSTOOD: ReadonlySet<string> = new Set(["551d0f", "551d11", BASIC_CONSTRAINTS, "551d20", "551d25"]);

/**
 * @throws {RangeError} for a certificate that is not whole
 * @see RFC 5280, section 4.1
 */
export function extensionsOf({ raw }: X509Certificate): Extensions {
  const [signed] = elements(firstElement(raw, SEQUENCE));
  const list = [...elements(signed?.content ?? Buffer.of())].find(({ tag }) => tag === EXTENSIONS);
  const all = list ? [...elements(firstElement(list.content, SEQUENCE))].map(toExtension) : [];
  const constraints = all.find(({ id }) => id === BASIC_CONSTRAINTS);
  return {
    pathLength: constraints && pathLengthOf(constraints.value),
    hasUnknownCondition: all.some(({ id, critical }) => critical && !UNDERSTOOD.has(id)),
  };
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

function toExtension({ content }: Element): Extension {
  const parts = [...elements(content)];
  const part = (tag: number): Uint8Array | undefined => parts.find((one) => one.tag === tag)?.content;
  return {
    id: Buffer.from(part(IDENTIFIER) ?? "").toString("hex"),
    critical: part(BOOLEAN)?.[0] === 0xff,
    value: part(OCTETS) ?? Buffer.of(),
  };
}

function pathLengthOf(value: Uint8Array): number | undefined {
  const length = [...elements(firstElement(value, SEQUENCE))].find(({ tag }) => tag === INTEGER)?.content;
  return length && Number(`0x${Buffer.from(length).toString("hex") || "0"}`);
}
