import { expect, test } from 'vitest';
import type { GrowingContainer } from '../../src/model/evidence/collection-growth.js';
import type { Vitals } from '../../src/model/evidence/vitals.js';
import { outgrown } from '../../src/skills/growth-outgrown.js';

const row = (bytes: number, externalBytes = 0) =>
  ({ entry: { bytes: bytes + externalBytes, externalBytes } }) as GrowingContainer; // what it looks at
const vitals = (heapLimitBytes: number, memoryLimitBytes?: number) =>
  ({ samples: [{ heapLimitBytes }], ...(memoryLimitBytes && { memoryLimitBytes }) }) as unknown as Vitals; // the same

const told = (at: number | undefined, of: GrowingContainer, given: Vitals) =>
  outgrown({ reason: 'its code checks the size', ...(at !== undefined && { at }) }, of, given) !== undefined;

test.each([
  ['fits', 50_000, row(2000), vitals(2e9), false],
  ['is more than the heap', 50_000, row(90_000), vitals(2e9), true],
  ['is about what the heap holds: entries differ', 50_000, row(50_000), vitals(2e9), false],
  ['keeps more buffers than it was made for', 50_000, row(200, 40_000), vitals(4e9), true],
  ['keeps buffers that fit', 5_000, row(200, 40_000), vitals(4e9), false],
  ['keeps buffers that the container has no room for', 5_000, row(200, 40_000), vitals(4e9, 128e6), true],
  ['is not known', undefined, row(90_000), vitals(2e9), false],
])('a bound that %s', (_, at, of, given, expected) => {
  expect(told(at, of, given)).toBe(expected);
});
