import { leastSquares, mannKendall, type Point } from '../base/statistics.js';

export type Forecast =
  | { readonly kind: 'not-enough-data'; readonly samples: number }
  | { readonly kind: 'flat' }
  | {
      readonly kind: 'reaches';
      readonly perHour: number;
      readonly atMs: number;
      readonly earliestMs: number;
      readonly latestMs: number;
      readonly r2: number;
    };

/** Ten points are the least on which a trend test means anything. */
const MIN_POINTS = 10;
/** Two-sided 1 %: an alarm about the future must not come from noise. */
const TREND_Z = 2.58;
/** Two standard errors: about 95 % where the growth is linear. */
const ERRORS = 2;

/** When a growing series reaches `limit`, from samples `{ at (ms), value }`, with the band of its slope's error. */
export function timeToLimit(
  samples: readonly { readonly at: number; readonly value: number }[],
  limit: number,
): Forecast {
  if (samples.length < MIN_POINTS) return { kind: 'not-enough-data', samples: samples.length };
  const origin = samples[0]?.at ?? 0;
  const points: Point[] = samples.map(s => ({ x: s.at - origin, y: s.value }));
  const line = leastSquares(points);
  if (!line || line.slope <= 0 || mannKendall(points.map(p => p.y)) < TREND_Z) return { kind: 'flat' };
  const last = points.at(-1) as Point; // at least MIN_POINTS of them
  const now = line.intercept + line.slope * last.x;
  const after = (slope: number) =>
    slope <= 0 ? Number.POSITIVE_INFINITY : origin + last.x + Math.max(0, (limit - now) / slope);
  return {
    kind: 'reaches',
    perHour: line.slope * 3_600_000,
    atMs: after(line.slope),
    earliestMs: after(line.slope + ERRORS * line.slopeError),
    latestMs: after(line.slope - ERRORS * line.slopeError),
    r2: line.r2,
  };
}
