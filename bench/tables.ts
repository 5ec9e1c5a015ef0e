import type { RequestCount } from "./s3-requests.ts";

/** What was measured of us and of the peer. */
export interface Row {
  readonly what: string;
  readonly figures: readonly [ours: number, theirs: number];
  readonly print?: (figure: number) => string;
}

/** With the peer's share of which ours is, as `0.71`; less is better. */
export function comparison(rows: readonly Row[]): string {
  const lines = rows.map(({ what, figures: [ours, theirs], print = String }) => [
    what,
    print(ours),
    print(theirs),
    theirs === 0 ? "" : (ours / theirs).toFixed(2),
  ]);
  return table(["", "Wharfinger", "docker-registry", "ratio"], lines);
}

/** How often each operation was asked for. */
export function operations(title: string, ours: RequestCount, theirs: RequestCount): string {
  const names = [...new Set([...ours.operations.keys(), ...theirs.operations.keys()])].sort();
  const lines = names.map((name) => [
    name,
    String(ours.operations.get(name) ?? 0),
    String(theirs.operations.get(name) ?? 0),
  ]);
  return table([title, "Wharfinger", "docker-registry"], lines);
}

export function seconds(figure: number): string {
  return figure.toFixed(2);
}

export function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 2 ** 20));
}

/** The first column is text, the others are figures. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
