import fc from 'fast-check';
import * as reference from 'simple-statistics';
import { expect, test } from 'vitest';
import {
  deviation,
  leastSquares,
  mannKendall,
  mean,
  median,
  percentile,
  robustDeviation,
  theilSen,
} from '../../src/base/statistics.js';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 60 });
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

test('mean, deviation, median and MAD agree with an independent library', () => {
  fc.assert(
    fc.property(values, list => {
      expect(near(mean(list), reference.mean(list))).toBe(true);
      expect(near(deviation(list), reference.standardDeviation(list))).toBe(true);
      expect(near(median(list), reference.median(list))).toBe(true);
      expect(near(robustDeviation(list), 1.4826 * reference.medianAbsoluteDeviation(list))).toBe(true);
    }),
  );
});

test('least squares agrees with an independent library', () => {
  const points = fc.array(
    fc.record({ x: fc.integer({ min: -1000, max: 1000 }), y: fc.integer({ min: -1000, max: 1000 }) }),
    { minLength: 3, maxLength: 40 },
  );
  fc.assert(
    fc.property(points, list => {
      fc.pre(new Set(list.map(p => p.x)).size > 1);
      const line = leastSquares(list);
      const { m, b } = reference.linearRegression(list.map(p => [p.x, p.y]));
      expect(line && near(line.slope, m) && near(line.intercept, b)).toBe(true);
    }),
  );
});

test('a percentile lies between its neighbours and interpolates linearly', () => {
  expect(percentile([10, 20, 30, 40], 50)).toBe(25);
  expect(percentile([5], 99)).toBe(5);
  expect(percentile([1, 2], 95)).toBeCloseTo(1.95);
});

test('a third of wild points does not move the Theil-Sen slope', () => {
  const clean = Array.from({ length: 21 }, (_, x) => ({ x, y: 3 * x + 1 }));
  const wild = clean.map((p, i) => (i % 4 === 1 ? { ...p, y: 1e6 * (i % 3) } : p));
  expect(theilSen(wild)).toBeCloseTo(3, 0);
});

test('Mann-Kendall sees a trend, its direction, and none in a constant', () => {
  expect(mannKendall(Array.from({ length: 12 }, (_, i) => i))).toBeGreaterThan(3);
  expect(mannKendall(Array.from({ length: 12 }, (_, i) => -i))).toBeLessThan(-3);
  expect(mannKendall(new Array(12).fill(4))).toBe(0);
});
