/** Groups rows by key, bounded: what doesn't fit is left out rather than growing without end. */
export class Tally<T> {
  private readonly rows = new Map<string, T>();

  constructor(private readonly most: number) {}

  /** The row of `key`, made when new; undefined once the tally is full. */
  row(key: string, make: () => T): T | undefined {
    const known = this.rows.get(key);
    if (known !== undefined || this.rows.size >= this.most) return known;
    const made = make();
    this.rows.set(key, made);
    return made;
  }

  all(): T[] {
    return [...this.rows.values()];
  }
}
