import { deviation, mean, percentile, robustDeviation } from './statistics.js';

/** What is normal for one series. Plain data, saved per application and warm-started. */
export interface Baseline {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  readonly median: number;
  readonly robustDeviation: number;
  readonly p95: number;
  readonly p98: number;
  readonly p99: number;
  /** Exponentially weighted mean and variance: they follow slow change after learning. */
  readonly emaMean: number;
  readonly emaVariance: number;
  readonly updatedAt: number;
}

/**
 * The weight of a new sample. The design's 0.1 forgets within five minutes: a metric that doubles in an hour was
 * followed up and never seen (bench/monitor.mjs). 0.02 looks back 25 minutes and still follows a day's season.
 */
export const EMA_ALPHA = 0.02;

/** A followed spread beyond this many learnt ones is the fault itself, not the noise of a busier hour. */
const MOST_SPREAD = 2;

/** Below this share of the level a deviation is rounding, not variation: a constant that jumps must still be seen. */
const RELATIVE_FLOOR = 0.02;
/** For series around zero, where a share of the level says nothing. */
const ABSOLUTE_FLOOR = 1e-6;
/** Fewer samples than this are no baseline: the 95th percentile would be the maximum. */
export const MIN_SAMPLES = 20;

/** Learns from the samples of a quiet time; undefined when there are too few. */
export function learn(values: readonly number[], at: number): Baseline | undefined {
  if (values.length < MIN_SAMPLES) return undefined;
  const average = mean(values);
  return {
    count: values.length,
    mean: average,
    deviation: deviation(values),
    median: percentile(values, 50),
    robustDeviation: robustDeviation(values),
    p95: percentile(values, 95),
    p98: percentile(values, 98),
    p99: percentile(values, 99),
    emaMean: average,
    emaVariance: deviation(values) ** 2,
    updatedAt: at,
  };
}

/** Follows a normal sample; an anomalous one must not teach the baseline that it is normal. */
export function follow(baseline: Baseline, value: number, at: number): Baseline {
  const difference = value - baseline.emaMean;
  return {
    ...baseline,
    count: baseline.count + 1,
    emaMean: baseline.emaMean + EMA_ALPHA * difference,
    // West 1979: variance of the exponentially weighted mean, in one step.
    emaVariance: (1 - EMA_ALPHA) * (baseline.emaVariance + EMA_ALPHA * difference ** 2),
    updatedAt: at,
  };
}

/**
 * How many deviations a value lies from normal: the smaller of the learned and the followed distance, so that neither
 * slow drift nor one wild minute of learning makes an alarm. The deviation has a floor.
 */
export function distance(baseline: Baseline, value: number, leastDeviation = 0): number {
  const spread = Math.max(spreadOf(baseline), leastDeviation);
  const learned = score(value, baseline.median, spread);
  const now = Math.min(Math.max(Math.sqrt(baseline.emaVariance), spread), MOST_SPREAD * spread);
  const followed = score(value, baseline.emaMean, now);
  return Math.abs(learned) < Math.abs(followed) ? learned : followed;
}

/**
 * What the bulk and the tail say of sigma, the largest of them: a lone spike in two hours moves neither, which the
 * plain deviation does; what comes every hour for some minutes moves the tail.
 */
function spreadOf({ robustDeviation, median, p95, p98 }: Baseline): number {
  return Math.max(robustDeviation, (p95 - median) / 1.645, (p98 - median) / 2.054);
}

function score(value: number, center: number, spread: number): number {
  const floor = Math.max(Math.abs(center) * RELATIVE_FLOOR, ABSOLUTE_FLOOR);
  return (value - center) / Math.max(spread, floor);
}
