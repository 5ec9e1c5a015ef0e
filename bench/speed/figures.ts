/** Figures by row and by who was measured, of all rounds. */
export class Figures {
  readonly #rows = new Map<string, Map<string, number[]>>();

  add(row: string, subject: string, figure: number): void {
    const figures = this.#rows.get(row) ?? new Map<string, number[]>();
    this.#rows.set(row, figures);
    figures.set(subject, [...(figures.get(subject) ?? []), figure]);
  }

  get rows(): readonly string[] {
    return [...this.#rows.keys()];
  }

  /** The median; undefined where it was not measured. */
  of(row: string, subject: string): number | undefined {
    const figures = this.#rows
      .get(row)
      ?.get(subject)
      ?.toSorted((one, other) => one - other);
    return figures?.[Math.floor(figures.length / 2)];
  }
}
