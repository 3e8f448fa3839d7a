import type { Alert, HealthWord } from '../model/watch-event.js';

/** What one look is worth; away counts as critical. */
const SCORE: { readonly [W in HealthWord]: number } = { healthy: 1, warning: 0.5, critical: 0 };
/** Stability looks back this far. */
const HOUR_MS = 3_600_000;
/** Looks are kept by the minute. */
const MINUTE_MS = 60_000;

/** Worst of everything that burns; an alert that is held back does not count, it was not told. */
export function healthOf(open: readonly Pick<Alert, 'level'>[]): HealthWord {
  if (open.some(({ level }) => level === 'critical')) return 'critical';
  return open.length > 0 ? 'warning' : 'healthy';
}

interface Minute {
  readonly minute: number;
  readonly sum: number;
  readonly count: number;
}

/** How healthy an application was in the last hour, 0 to 1: the mean of its looks, the time it was away counted as 0. */
export class Stability {
  #minutes: Minute[] = [];

  add(health: HealthWord, at: number): void {
    this.#book(Math.floor(at / MINUTE_MS), SCORE[health]);
  }

  /** It was away between two times; less than a minute counts as one look. */
  away(from: number, to: number): void {
    const first = Math.max(Math.floor(from / MINUTE_MS), Math.floor((to - HOUR_MS) / MINUTE_MS));
    for (let minute = first; minute <= Math.floor(to / MINUTE_MS); minute++) this.#book(minute, 0);
  }

  /** Undefined before the first look. */
  share(now: number): number | undefined {
    const oldest = Math.floor((now - HOUR_MS) / MINUTE_MS);
    this.#minutes = this.#minutes.filter(({ minute }) => minute > oldest);
    if (this.#minutes.length === 0) return undefined;
    return this.#minutes.reduce((total, { sum, count }) => total + sum / count, 0) / this.#minutes.length;
  }

  #book(minute: number, score: number): void {
    const last = this.#minutes.at(-1);
    if (last?.minute === minute)
      this.#minutes[this.#minutes.length - 1] = { minute, sum: last.sum + score, count: last.count + 1 };
    else this.#minutes.push({ minute, sum: score, count: 1 });
  }
}
