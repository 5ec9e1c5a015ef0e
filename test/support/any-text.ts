import fc from "fast-check";

/** Text of any characters, halves of pairs among them. `unit: "binary"` of fast-check takes five seconds to begin. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes));
