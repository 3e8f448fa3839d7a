import { expect, test } from 'vitest';
import { sayUse } from '../../src/model/model-use.js';

test.each([
  [
    { calls: 1, tokens: { input: 900, output: 20, cacheRead: 0, cacheWrite: 0 }, dollars: 0 },
    '1 call, 900 tokens read, 20 written',
  ],
  [
    { calls: 3, tokens: { input: 100, output: 75, cacheRead: 2640, cacheWrite: 2756 }, dollars: 0.0123 },
    '3 calls, 5 496 tokens read (48 % of them cached), 75 written, $0.012',
  ],
])('what a model has used is said whole', (use, said) => {
  expect(sayUse(use).replaceAll(' ', ' ')).toBe(said);
});
