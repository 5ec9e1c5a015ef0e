/** Whether the full form of the suites was asked for; by default a short one runs. */
const LONG: boolean = Boolean(process.env["WHARFINGER_LONG"]);

export const KIB: number = 1024;
export const MIB: number = 1024 * KIB;

/** Picks the figure of the form that runs. */
export function inForm(short: number, long: number): number {
  return LONG ? long : short;
}
