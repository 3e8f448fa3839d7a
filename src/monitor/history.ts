import type { Measures } from '../model/watch-event.js';

export interface HistoryLimits {
  /** Older moments are forgotten, in milliseconds. DESIGN §7: 24 h. */
  readonly retentionMs: number;
  readonly maxMoments: number;
  readonly maxSeries: number;
}

/** 24 hours at one reading every 30 s. */
export const DEFAULT_HISTORY: HistoryLimits = { retentionMs: 86_400_000, maxMoments: 2880, maxSeries: 2000 };

export interface HistoryPoint {
  readonly at: number;
  readonly value: number;
}

const FIRST_CAPACITY = 64;

/**
 * Bounded past of a program's metrics: a ring of moments, a column a metric. Seven digits a number: three dozen metrics
 * of fifty programs are 22 MB a day, a third of what pairs of doubles take.
 */
export class History {
  #at = new Float64Array(FIRST_CAPACITY);
  readonly #columns = new Map<string, Float32Array>();
  #first = 0;
  #size = 0;
  #lost = 0;
  #refused = 0;

  constructor(private readonly limits: HistoryLimits = DEFAULT_HISTORY) {}

  /** The numbers of one moment; times only rise. */
  add(values: Measures, at: number): void {
    if (this.#size === this.#at.length && this.#size < this.limits.maxMoments) this.#grow();
    if (this.#size === this.#length) this.#forgetOldest(at);
    const slot = (this.#first + this.#size++) % this.#length;
    this.#at[slot] = at;
    for (const name of Object.keys(values)) this.#open(name);
    for (const [name, column] of this.#columns) column[slot] = values[name] ?? Number.NaN;
  }

  /** Samples with from ≤ at ≤ to, oldest first, none older than the retention counted from `to`. */
  range(metric: string, from: number, to: number): HistoryPoint[] {
    const column = this.#columns.get(metric);
    const oldest = Math.max(from, to - this.limits.retentionMs);
    const found: HistoryPoint[] = [];
    for (let i = this.#size - 1; column && i >= 0; i--) {
      const slot = (this.#first + i) % this.#length;
      const [at, value] = [this.#at[slot] ?? 0, column[slot] ?? Number.NaN];
      if (at < oldest) break;
      if (at <= to && !Number.isNaN(value)) found.push({ at, value });
    }
    return found.reverse();
  }

  /** What the bounds have cost so far: moments that were overwritten before their time, and metrics that found no room. */
  get dropped(): { readonly moments: number; readonly series: number } {
    return { moments: this.#lost, series: this.#refused };
  }

  get #length(): number {
    return Math.min(this.#at.length, this.limits.maxMoments);
  }

  #forgetOldest(at: number): void {
    if (at - (this.#at[this.#first] ?? at) < this.limits.retentionMs) this.#lost++;
    this.#first = (this.#first + 1) % this.#length;
    this.#size--;
  }

  #open(name: string): void {
    if (this.#columns.has(name)) return;
    if (this.#columns.size >= this.limits.maxSeries) this.#refused++;
    else this.#columns.set(name, new Float32Array(this.#at.length).fill(Number.NaN));
  }

  /** Only a ring that has never dropped grows, so the oldest lies in slot 0. */
  #grow(): void {
    const length = Math.min(this.limits.maxMoments, this.#at.length * 2);
    const at = new Float64Array(length);
    at.set(this.#at);
    this.#at = at;
    for (const [name, before] of this.#columns) {
      const column = new Float32Array(length).fill(Number.NaN);
      column.set(before);
      this.#columns.set(name, column);
    }
  }
}
