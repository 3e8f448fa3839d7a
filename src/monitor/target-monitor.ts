import { type Baseline, distance } from '../base/normal.js';
import { METRICS, type MetricKind, metricKind, sayMetric } from '../model/vital-metrics.js';
import type { Alert, Measures } from '../model/watch-event.js';
import { type AlertRule, type AlertState, type AlertVerdict, CLEAR, judge, step } from './alert.js';
import { AlertBook, type AlertNews, type AlertPolicy } from './alert-book.js';
import {
  type Anomaly,
  type DetectorOptions,
  type DetectorState,
  isNormal,
  observe,
  startDetector,
} from './detector.js';
import { timeToLimit } from './forecast.js';
import { DEFAULT_HISTORY, History, type HistoryPoint } from './history.js';

export interface MonitorOptions {
  readonly rules: readonly AlertRule[];
  readonly detector: DetectorOptions;
  readonly policy: AlertPolicy;
  readonly retentionMs: number;
  readonly maxSamples: number;
}

/** A share that reaches 1 within this time at its present growth is worth waking somebody. */
const FORECAST_WITHIN_MS = 24 * 3_600_000;
/** Trends are looked for this often, over the last FORECAST_OVER_MS in at most FORECAST_POINTS means. */
const FORECAST_EVERY_MS = 10 * 60_000;
const FORECAST_OVER_MS = 3 * 3_600_000;
const FORECAST_POINTS = 60;
/** Caches fill in the first half hour: that growth ends by itself. */
const FORECAST_LEAST_MS = 30 * 60_000;
/** A line that explains less of the samples than this is no forecast. */
const FORECAST_R2 = 0.7;
const HOUR_MS = 3_600_000;

/** A window speaks once lens has watched this process for this share of it: what lasted one reading did not last minutes. */
const COVERED = 0.8;

/** A program that has just started compiles and fills its caches: neither normal nor an anomaly. */
const YOUNG_MS = 60_000;

/** Shares of a limit: what fills up. */
const FILLING = ['heap.liveShare', 'memory.limitShare', 'fds.limitShare'] as const;

/** Less than this happens every few minutes. */
const UNUSUAL_Z = 2;

/** A metric away from its normal, with its value as people say it. */
export interface Unusual {
  readonly metric: string;
  readonly z: number;
  readonly said: string;
}

/** What an earlier watch knew: what is normal, and which alerts burn and were told already. */
export interface Saved {
  readonly baselines: ReadonlyMap<string, Baseline>;
  readonly open: readonly Alert[];
}

/** Everything lens knows of one application over time: samples in, news out. Time comes with the samples. */
export class TargetMonitor {
  readonly #detectors = new Map<string, DetectorState>();
  readonly #states = new Map<string, AlertState>();
  readonly #history: History;
  readonly #book: AlertBook;
  readonly #saved: ReadonlyMap<string, Baseline>;
  #forecastAt = Number.NEGATIVE_INFINITY;
  /** When this process was first read: what was before it is another's. */
  #since: number | undefined;
  /** Burnt by rules that are no more: nobody else would ever end them. */
  #orphans: readonly Alert[];

  constructor(
    private readonly application: string,
    private options: MonitorOptions,
    saved: Saved = { baselines: new Map(), open: [] },
  ) {
    this.#saved = saved.baselines;
    this.#history = new History({
      ...DEFAULT_HISTORY,
      retentionMs: options.retentionMs,
      maxMoments: options.maxSamples,
    });
    this.#book = new AlertBook(options.policy, saved.open);
    for (const { rule, firedAt } of saved.open) this.#states.set(rule, { phase: 'firing', since: firedAt });
    const known = new Set(options.rules.map(({ id }) => id));
    this.#orphans = saved.open.filter(({ kind, rule }) => kind === 'limit' && !known.has(rule));
  }

  get dropped(): number {
    return this.#history.dropped.moments;
  }

  get open(): readonly Alert[] {
    return this.#book.open;
  }

  /** One moment's numbers; a metric that is absent was not read, and neither fires nor heals. */
  observe(values: Measures, at: number, uptimeMs = Number.POSITIVE_INFINITY): AlertNews[] {
    this.#history.add(values, at);
    this.#since ??= at;
    const orphans = this.#orphans;
    this.#orphans = [];
    return [
      ...orphans.flatMap(({ fingerprint }) => this.#book.end(fingerprint, at)),
      ...this.options.rules.flatMap(rule => this.#judge(rule, values[rule.metric], at)),
      ...(uptimeMs < YOUNG_MS ? [] : METRICS.flatMap(kind => this.#detect(kind, values[kind.name], at))),
      ...this.#forecast(at),
      ...this.#book.tick(at),
    ];
  }

  /** Other rules and numbers from now on. What burns by a rule that is no more is over. */
  configure(options: MonitorOptions, at: number): AlertNews[] {
    const kept = new Set(options.rules.map(({ id }) => id));
    const gone = this.options.rules.filter(({ id }) => !kept.has(id));
    this.options = options;
    return gone.flatMap(({ id }) => {
      this.#states.delete(id);
      return this.#book.end(this.#fingerprint(id), at);
    });
  }

  /** The process is gone: what it was does not burn any more. A new process is judged anew. */
  lost(at: number): AlertNews[] {
    this.#states.clear();
    this.#since = undefined;
    this.#forecastAt = Number.NEGATIVE_INFINITY;
    return this.#book.open.flatMap(({ fingerprint }) => this.#book.end(fingerprint, at));
  }

  /** The metrics that lie furthest from normal right now, at least two deviations, furthest first. */
  unusual(values: Measures): Unusual[] {
    return METRICS.flatMap((kind): Unusual[] => {
      const [state, value] = [this.#detectors.get(kind.name), values[kind.name]];
      if (value === undefined || state === undefined || state.phase === 'learning') return [];
      const z = distance(state.baseline, value, kind.floor / this.options.detector.z);
      return Math.abs(z) < UNUSUAL_Z ? [] : [{ metric: kind.name, z, said: `${sayMetric(kind, value)}` }];
    }).sort((a, b) => Math.abs(b.z) - Math.abs(a.z));
  }

  /** What is normal, for the next watch of the same application. */
  baselines(): Map<string, Baseline> {
    const known = [...this.#detectors].flatMap(([metric, state]) =>
      'baseline' in state ? [[metric, state.baseline] as const] : [],
    );
    return new Map([...this.#saved, ...known]);
  }

  #judge(rule: AlertRule, now: number | undefined, at: number): AlertNews[] {
    const samples = rule.window ? this.#past(rule.metric, rule.window.ms, at) : latestOf(now, at);
    const before = this.#states.get(rule.id) ?? CLEAR;
    const { state, change } = step(rule, before, this.#verdict(rule, samples, at), at);
    this.#states.set(rule.id, state);
    if (change === undefined) return [];
    if (change === 'resolved') return this.#book.end(this.#fingerprint(rule.id), at);
    const value = now ?? samples.at(-1)?.value ?? Number.NaN;
    return this.#begin(
      { kind: 'limit', rule: rule.id, metric: rule.metric, level: rule.level, value, normal: rule.limit },
      at,
    );
  }

  #verdict(rule: AlertRule, samples: readonly HistoryPoint[], at: number): AlertVerdict {
    const verdict = judge(rule, samples, at);
    const isCovered = !rule.window || at - (this.#since ?? at) >= COVERED * rule.window.ms;
    return verdict === 'breached' && !isCovered ? undefined : verdict;
  }

  #past(metric: string, ms: number, at: number): HistoryPoint[] {
    return this.#history.range(metric, Math.max(at - ms, this.#since ?? at), at);
  }

  #detect(kind: MetricKind, value: number | undefined, at: number): AlertNews[] {
    if (value === undefined || !kind.moreIsWorse) return [];
    const before = this.#detectors.get(kind.name) ?? startDetector(at, this.#saved.get(kind.name));
    const options = { ...this.options.detector, floor: kind.floor, upwardOnly: true };
    const { state, anomaly } = observe(before, value, at, options);
    this.#detectors.set(kind.name, state);
    const rule = `anomaly:${kind.name}`;
    if (anomaly) return this.#begin(anomalous(rule, kind.name, anomaly), at);
    return state.phase !== 'learning' && isNormal(state, value, options)
      ? this.#book.end(this.#fingerprint(rule), at)
      : [];
  }

  #forecast(at: number): AlertNews[] {
    if (at - this.#forecastAt < FORECAST_EVERY_MS) return [];
    this.#forecastAt = at;
    return FILLING.flatMap(metric => {
      const rule = `forecast:${metric}`;
      const past = this.#past(metric, FORECAST_OVER_MS, at);
      if (at - (past[0]?.at ?? at) < FORECAST_LEAST_MS) return [];
      const seen = timeToLimit(means(past), 1);
      const near = seen.kind === 'reaches' && seen.r2 >= FORECAST_R2 && seen.atMs - at <= FORECAST_WITHIN_MS;
      if (!near) return seen.kind === 'not-enough-data' ? [] : this.#book.end(this.#fingerprint(rule), at);
      const value = past.at(-1)?.value ?? Number.NaN;
      const hours = (when: number) => (Number.isFinite(when) ? ((when - at) / HOUR_MS).toFixed(1) : '∞');
      const when = `its limit is reached in ${hours(seen.atMs)} h (${hours(seen.earliestMs)} to ${hours(seen.latestMs)} h)`;
      const growth = `${(seen.perHour * 100).toFixed(1)} % of it an hour, ${(seen.perHour * 2400).toFixed(0)} % a day`;
      return this.#begin(
        { kind: 'forecast', rule, metric, level: 'warning', value, normal: 1, title: `${when}: ${growth}` },
        at,
      );
    });
  }

  #begin(draft: Draft, at: number): AlertNews[] {
    const alert: Alert = {
      ...draft,
      fingerprint: this.#fingerprint(draft.rule),
      title: titleOf(draft),
      firedAt: at,
      count: 1,
    };
    return this.#book.begin(alert, at);
  }

  #fingerprint(rule: string): string {
    return `${this.application}/${rule}`;
  }
}

type Draft = Pick<Alert, 'kind' | 'rule' | 'metric' | 'level' | 'value' | 'normal' | 'z'> & { readonly title?: string };

function anomalous(rule: string, metric: string, { value, z, baseline }: Anomaly): Draft {
  return { kind: 'anomaly', rule, metric, level: 'warning', value, normal: baseline.median, z };
}

function titleOf({ metric, value, normal, z, title }: Draft): string {
  const kind = metricKind(metric) ?? { unit: 'count' as const, doc: metric };
  const [now, then] = [sayMetric(kind, value), sayMetric(kind, normal)];
  if (title !== undefined) return `${metric} is ${now}; ${title}`;
  return z === undefined
    ? `${metric} is ${now}, beyond ${then} (${kind.doc})`
    : `${metric} is ${now}, normal is ${then}: ${z.toFixed(1)} deviations (${kind.doc})`;
}

const latestOf = (value: number | undefined, at: number): HistoryPoint[] =>
  value === undefined ? [] : [{ at, value }];

/** At most FORECAST_POINTS means of equal length: a trend test costs the square of its points. */
function means(points: readonly { readonly at: number; readonly value: number }[]) {
  const length = Math.max(1, Math.ceil(points.length / FORECAST_POINTS));
  const count = Math.floor(points.length / length);
  return Array.from({ length: count }, (_, i) => {
    const part = points.slice(i * length, (i + 1) * length);
    const sum = (of: (point: (typeof part)[number]) => number) => part.reduce((total, point) => total + of(point), 0);
    return { at: sum(p => p.at) / length, value: sum(p => p.value) / length };
  });
}
