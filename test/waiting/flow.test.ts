import { expect, test } from 'vitest';
import type { ServedRequest } from '../../src/model/evidence/async-dump.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';
import { flows, isGrowing } from '../../src/waiting/flow.js';

const route = { method: 'POST', route: '/orders' };
// Only the counts of a scan are read.
const scan = (count: number) =>
  ({ routes: [{ ...route, count, heldCount: 0, heldMs: 0, headersSent: 0 }] }) as unknown as InFlight;
const request = (at: number, end: number) => ({ ...route, at, end, status: 200 }) as unknown as ServedRequest;
const flowOf = (before: number, after: number, requests: ServedRequest[], earlier = 0) => {
  const finishedBefore = earlier > 0 ? [{ ...route, count: earlier }] : [];
  const [flow] = flows({ windowMs: 4000, before: scan(before), after: scan(after), requests, finishedBefore });
  if (!flow) throw new Error('no flow');
  return flow;
};

test('a burst that is being worked off does not grow, though more are in flight than before it', () => {
  const burst = Array.from({ length: 80 }, (_, i) => request(1000, i < 60 ? 1040 + i * 40 : 0));
  expect(flowOf(0, 20, burst)).toMatchObject({ peak: 80, after: 20 });
  expect(isGrowing(flowOf(0, 20, burst))).toBe(false);
});

test('what comes faster than it goes grows, also when all that ended had begun before', () => {
  const coming = Array.from({ length: 80 }, (_, i) => request(i * 50, i < 20 ? i * 50 + 2000 : 0));
  expect(isGrowing(flowOf(40, 70, coming, 30))).toBe(true);
  expect(isGrowing(flowOf(10, 70, coming))).toBe(true);
});
