import type { FileCoverage } from "../coverage.ts";

export interface CoverageTable {
  /** Of all lines of code, in whole hundredths rounded down; 100 where there are none. */
  readonly percent: number;
  /** For people: the files below the threshold with what they miss, and the total. */
  readonly lines: readonly string[];
}

export function coverageTable(files: readonly FileCoverage[], threshold: number): CoverageTable {
  const all = sum(files, (file) => file.lines);
  const missed = sum(files, (file) => file.missed.length);
  const low = files.filter((file) => percentOf(file.lines, file.missed.length) < threshold);
  const percent = percentOf(all, missed);
  const total = `coverage: ${percent.toFixed(2)} % of ${all} lines in ${files.length} files of src/`;
  return { percent, lines: [...low.map(line), percent < threshold ? `${total}, less than ${threshold} %` : total] };
}

function line({ path, lines, missed }: FileCoverage): string {
  return `${percentOf(lines, missed.length).toFixed(2).padStart(6)} %  ${path}: ${ranges(missed)}`;
}

/** `3, 7-9` */
function ranges(numbers: readonly number[]): string {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  const ends = numbers.filter((number) => !numbers.includes(number + 1));
  return starts.map((start, at) => (start === ends[at] ? `${start}` : `${start}-${ends[at]}`)).join(", ");
}

function percentOf(all: number, missed: number): number {
  return all === 0 ? 100 : Math.floor(((all - missed) / all) * 10_000) / 100;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
