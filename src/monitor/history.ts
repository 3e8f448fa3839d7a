import { TimeRing } from '../base/time-ring.js';
import { type MetricSample, seriesKey } from './metric.js';

export interface HistoryLimits {
  /** Older samples are forgotten, in milliseconds. DESIGN §7: 24 h. */
  readonly retentionMs: number;
  readonly maxPerSeries: number;
  readonly maxSeries: number;
}

/** 24 hours at one sample every 30 s, for at most 2000 series: 92 MB at the very worst. */
export const DEFAULT_HISTORY: HistoryLimits = { retentionMs: 86_400_000, maxPerSeries: 2880, maxSeries: 2000 };

export interface HistoryPoint {
  readonly at: number;
  readonly value: number;
}

/** Bounded past of every series; time comes with the samples. */
export class History {
  readonly #series = new Map<string, TimeRing>();
  #refused = 0;

  constructor(private readonly limits: HistoryLimits = DEFAULT_HISTORY) {}

  add(sample: MetricSample): void {
    const key = seriesKey(sample);
    let ring = this.#series.get(key);
    if (!ring) {
      if (this.#series.size >= this.limits.maxSeries) {
        this.#refused++;
        return;
      }
      ring = new TimeRing(this.limits.maxPerSeries);
      this.#series.set(key, ring);
    }
    ring.push(sample.at, sample.value);
  }

  /** Samples with from ≤ at ≤ to, oldest first, none older than the retention counted from `to`. */
  range(key: string, from: number, to: number): HistoryPoint[] {
    const oldest = Math.max(from, to - this.limits.retentionMs);
    return this.#series.get(key)?.range(oldest, to) ?? [];
  }

  keys(): string[] {
    return [...this.#series.keys()];
  }

  /** What the bounds have cost so far. */
  get dropped(): { readonly samples: number; readonly series: number } {
    return { samples: [...this.#series.values()].reduce((n, ring) => n + ring.dropped, 0), series: this.#refused };
  }
}
