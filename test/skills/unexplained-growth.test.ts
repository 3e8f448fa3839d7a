import { expect, test } from 'vitest';
import type { CollectionGrowth } from '../../src/model/evidence/collection-growth.js';
import { isRisingUnexplained } from '../../src/skills/unexplained-growth.js';

/** Live heap that gains `bytes` in twenty seconds, while so many connections are open at its ends. */
const growth = (bytes: number, sockets: readonly number[]): CollectionGrowth =>
  ({
    growing: [],
    liveHeap: { firstBytes: 20e6, lastBytes: 20e6 + bytes, seconds: 20 },
    memory: sockets.map(count => ({ sockets: count })),
  }) as unknown as CollectionGrowth; // what the question looks at

test('live heap that rises without a collection to explain it is unexplained', () => {
  expect(isRisingUnexplained(growth(3.5e6, [4, 4, 4]))).toBe(true);
});

test('what so many connections more hold explains it', () => {
  expect(isRisingUnexplained(growth(3.5e6, [2, 160, 2, 162]))).toBe(false);
});

test('a few connections more explain little', () => {
  expect(isRisingUnexplained(growth(9e6, [2, 12]))).toBe(true);
});
