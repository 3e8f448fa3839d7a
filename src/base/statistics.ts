/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Population standard deviation; NaN of nothing. */
export function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map(value => (value - center) ** 2)));
}

/** The p-th percentile (0..100) with linear interpolation at rank p/100·(n−1), as numpy's default; NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (p / 100) * (sorted.length - 1);
  const low = Math.floor(rank);
  const from = sorted[low] ?? Number.NaN;
  const to = sorted[Math.ceil(rank)] ?? from;
  return from + (to - from) * (rank - low);
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Median absolute deviation, times 1.4826 so that it estimates sigma on normal data (Rousseeuw and Croux 1993). */
export function robustDeviation(values: readonly number[]): number {
  const center = median(values);
  return 1.4826 * median(values.map(value => Math.abs(value - center)));
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Share of the variance that the line explains, 0..1. */
  readonly r2: number;
  /** Standard error of the slope. */
  readonly slopeError: number;
}

/** Ordinary least squares; undefined below three points or when all x are equal. */
export function leastSquares(points: readonly Point[]): Line | undefined {
  const n = points.length;
  const mx = mean(points.map(p => p.x));
  const my = mean(points.map(p => p.y));
  const sxx = points.reduce((sum, p) => sum + (p.x - mx) ** 2, 0);
  if (n < 3 || sxx === 0) return undefined;
  const sxy = points.reduce((sum, p) => sum + (p.x - mx) * (p.y - my), 0);
  const syy = points.reduce((sum, p) => sum + (p.y - my) ** 2, 0);
  const slope = sxy / sxx;
  const residual = Math.max(0, syy - slope * sxy);
  return {
    slope,
    intercept: my - slope * mx,
    r2: syy === 0 ? 1 : 1 - residual / syy,
    slopeError: Math.sqrt(residual / (n - 2) / sxx),
  };
}

/** Median of the slopes of all pairs (Theil 1950, Sen 1968): a third of the points may be wild. Undefined below two. */
export function theilSen(points: readonly Point[]): number | undefined {
  const slopes: number[] = [];
  for (const [i, a] of points.entries())
    for (const b of points.slice(i + 1)) if (b.x !== a.x) slopes.push((b.y - a.y) / (b.x - a.x));
  return slopes.length === 0 ? undefined : median(slopes);
}

/**
 * Mann-Kendall trend test: z of S with its variance corrected for ties; |z| > 1.96 is a trend at 5 %.
 * Assumes independent samples; autocorrelated ones (a heap between collections) overstate it.
 */
export function mannKendall(values: readonly number[]): number {
  const n = values.length;
  let s = 0;
  for (const [i, a] of values.entries()) for (const b of values.slice(i + 1)) s += Math.sign(b - a);
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  const tied = [...ties.values()].reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0);
  const variance = (n * (n - 1) * (2 * n + 5) - tied) / 18;
  return variance <= 0 || s === 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance);
}
