/** How often metrics are read that need not be read every time, by name or by group (`fds.*`), in milliseconds. */
export type Intervals = { readonly [metric: string]: number };

/** Which metrics this round reads. Metrics of one interval are due together, so that a round stays few evaluates. */
export class Schedule {
  readonly #readAt = new Map<string, number>();

  /**
   * The names of the intervals whose metrics are to be left out at `at`; the others are booked as read. Rounds of
   * `roundMs` don't end to the millisecond: the one nearest to its time reads.
   */
  resting(intervals: Intervals, at: number, roundMs: number): ReadonlySet<string> {
    const resting = new Set<string>();
    for (const [pattern, ms] of Object.entries(intervals)) {
      const last = this.#readAt.get(pattern);
      if (last !== undefined && at - last < ms - roundMs / 2) resting.add(pattern);
      else this.#readAt.set(pattern, at);
    }
    return resting;
  }
}

/** True for a metric that one of the patterns names. */
export function isNamed(metric: string, patterns: ReadonlySet<string>): boolean {
  if (patterns.size === 0) return false;
  return patterns.has(metric) || patterns.has(`${metric.slice(0, metric.indexOf('.'))}.*`);
}
