import { expect, test } from 'vitest';
import { isPilingUp, isSlowing } from '../../src/collectors/worth-watching.js';
import type { GrowingContainer } from '../../src/model/evidence/collection-growth.js';

/** Only the sizes count. */
const rowOf = (sizes: readonly (number | null)[]) => ({ sizes }) as unknown as GrowingContainer;
const SECONDS = 20;
const grown = (rateAt: (size: number) => number, from = 0) => {
  const sizes = [from];
  for (let at = 0; at < SECONDS; at++) sizes.push(Math.round((sizes[at] ?? 0) + rateAt(sizes[at] ?? 0)));
  return rowOf(sizes);
};

test('what fills a bounded world of keys slows down, a steady rate doesn’t', () => {
  expect(isSlowing(grown(size => 90 * (1 - size / 8000), 1000))).toBe(true);
  expect(isSlowing(grown(() => 70, 1000))).toBe(false);
});

test('few entries may come early by chance, and a rate that halves has settled', () => {
  expect(isSlowing(rowOf([0, 2, 4, 5, 7, 8, 9, 11, 12, 13]))).toBe(false);
  expect(isSlowing(grown(size => 200 * (1 - size / 1500)))).toBe(false);
});

test('what gains an entry for each request that waits piles up; anything else is looked at', () => {
  const row = (perSecond: number, bytes = 1000) => ({ perSecond, entry: { bytes } }) as unknown as GrowingContainer;
  expect(isPilingUp(row(8.95), [6, 3, 9])).toBe(true);
  expect(isPilingUp(row(18), [9])).toBe(true);
  expect(isPilingUp(row(45), [9])).toBe(false);
  expect(isPilingUp(row(2), [9])).toBe(false);
  expect(isPilingUp(row(9, 100_000), [9])).toBe(false);
  expect(isPilingUp(row(9), [])).toBe(false);
});
