import { deviation, mean, percentile } from '../base/statistics.js';
import type { SavedBaseline, SavedRun, Spread } from '../model/saved-baseline.js';
import { METRICS, type MetricKind } from '../model/vital-metrics.js';
import type { Measures } from '../model/watch-event.js';

/** What a check remembers of itself: enough to know how much runs differ, few enough to follow a program that changes. */
const MAX_RUNS = 20;

/** DESIGN §7: deviations from normal. */
const Z = 3;
/** Shared CI machines differ by a fifth from run to run; less than this is not worth a red build. */
const RELATIVE_CHANGE = 0.25;
/** With one saved run nothing is known of how much runs differ: as much as the windows of that run, at least this share. */
const LEAST_SPREAD = 0.05;

/** Windows → mean, deviation and 95th percentile of each metric. */
export function summarize(windows: readonly Measures[]): { readonly [metric: string]: Spread } {
  const names = new Set(windows.flatMap(window => Object.keys(window)));
  return Object.fromEntries(
    [...names].map(name => {
      const values = windows.flatMap(window => window[name] ?? []);
      const spread = { count: values.length, mean: mean(values), deviation: deviation(values) };
      return [name, { ...spread, p95: percentile(values, 95) }];
    }),
  );
}

/** The baseline with one more run; the oldest leave. */
export function withRun(before: SavedBaseline | undefined, application: string, run: SavedRun): SavedBaseline {
  return { schema: 'lens.baseline/1', application, runs: [...(before?.runs ?? []), run].slice(-MAX_RUNS) };
}

export interface Regression {
  readonly kind: MetricKind;
  readonly value: number;
  readonly normal: number;
  readonly z: number;
  /** 0.5 is half as much again. */
  readonly change: number;
}

/** Metrics that got worse: beyond z, beyond the relative change and beyond the metric's floor, all three. Worst first. */
export function regressions(baseline: SavedBaseline, now: { readonly [metric: string]: Spread }): Regression[] {
  return METRICS.flatMap(kind => regression(kind, baseline, now[kind.name]) ?? []).sort((a, b) => b.z - a.z);
}

function regression(kind: MetricKind, baseline: SavedBaseline, now: Spread | undefined): Regression | undefined {
  const runs = baseline.runs.flatMap(run => run.metrics[kind.name] ?? []);
  if (!kind.moreIsWorse || now === undefined || runs.length === 0) return undefined;
  const normal = mean(runs.map(run => run.mean));
  const difference = now.mean - normal;
  const change = normal === 0 ? Number.POSITIVE_INFINITY : difference / Math.abs(normal);
  const z = difference / spreadOf(runs, normal, kind);
  if (difference <= kind.floor || change <= RELATIVE_CHANGE || z <= Z) return undefined;
  return { kind, value: now.mean, normal, z, change };
}

/** How much the metric moves by itself: between the runs, and from window to window within them. */
function spreadOf(runs: readonly Spread[], normal: number, kind: MetricKind): number {
  const between = deviation(runs.map(run => run.mean));
  const within = mean(runs.map(run => run.deviation));
  return Math.max(Math.hypot(between, within), Math.abs(normal) * LEAST_SPREAD, kind.floor / Z);
}
