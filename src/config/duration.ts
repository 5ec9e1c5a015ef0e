/**
 * Durations as Go writes them: decimals with a unit, one after the other, `1h30m` or `-1.5s`.
 *
 * @see https://pkg.go.dev/time#ParseDuration
 */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Beyond it Go's 64 bits of nanoseconds overflow. */
const LONGEST = 2 ** 63 / 1e6;

/** @returns milliseconds, or undefined where `text` is no duration; a number without a unit is only one when it is 0 */
export function parseDuration(text: string): number | undefined {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  const total = sum(rest);
  if (total >= LONGEST) return undefined;
  return sign === "-" && total !== 0 ? -total : total;
}

/** The shortest text that {@link parseDuration} reads back as the same number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return "0s";
  if (!Number.isInteger(ms)) return `${toDecimal(ms)}ms`;
  if (ms < 1000) return `${ms}ms`;
  return wholeUnits(ms);
}

function wholeUnits(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return [hours ? `${hours}h` : "", minutes ? `${minutes}m` : "", seconds ? `${seconds}s` : ""].join("");
}

/** Never with an exponent. */
function toDecimal(ms: number): string {
  return ms.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
}

function sum(text: string): number {
  let total = 0;
  for (const [, amount, unit = ""] of text.matchAll(/([\d.]+)([^\d.]+)/g)) total += Number(amount) * (UNITS[unit] ?? 0);
  return total;
}
