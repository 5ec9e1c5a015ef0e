import { table } from "../tables.ts";
import type { Figures } from "./figures.ts";

/** What a row is measured in, and what it is to reach. */
export interface Row {
  readonly what: string;
  readonly unit: "/s" | "MiB/s" | "MiB" | "ms";
  /** Times the peer's figure: at least, or at most where less is better. 0: none. */
  readonly target: number;
  /** At most, of ours alone. */
  readonly limit?: number;
}

export const CEILING = "ceiling";

/** A line a row: figures, how many times the second one's ours is, and what part of the ceiling. */
export function report(rows: readonly Row[], figures: Figures, subjects: readonly string[]): string {
  const [ours = "", peer = ""] = subjects;
  const lines = rows
    .filter(({ what }) => figures.of(what, ours) !== undefined)
    .map((row) => {
      const [own, theirs] = [figures.of(row.what, ours), figures.of(row.what, peer)];
      return [
        `${row.what}, ${row.unit}`,
        ...subjects.map((subject) => print(figures.of(row.what, subject))),
        times(own, theirs),
        wanted(row),
        print(figures.of(row.what, CEILING)),
        times(own, figures.of(row.what, CEILING)),
      ];
    });
  return table(["", ...subjects, "times", "wanted", CEILING, "of it"], lines);
}

function wanted({ unit, target, limit }: Row): string {
  const bounds = [
    ...(target ? [`${unit === "MiB" ? "at most " : ""}${target}`] : []),
    ...(limit ? [`at most ${limit} ${unit}`] : []),
  ];
  return bounds.join(", ");
}

function times(figure: number | undefined, other: number | undefined): string {
  return figure === undefined || !other ? "" : (figure / other).toFixed(2);
}

function print(figure: number | undefined): string {
  return figure === undefined ? "" : figure >= 100 ? String(Math.round(figure)) : figure.toPrecision(3);
}
