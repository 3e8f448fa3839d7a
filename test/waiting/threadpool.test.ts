import { expect, test } from 'vitest';
import type { Threadpool } from '../../src/model/evidence/threadpool.js';
import { isQueueing, isSaturated } from '../../src/waiting/symptoms.js';

const pool = (p50Ms: number, loopP50Ms: number): Threadpool => ({
  seconds: 2,
  threads: 4,
  probes: 20,
  unanswered: 0,
  p50Ms,
  maxMs: 2 * p50Ms,
  loopP50Ms,
  loopMaxMs: loopP50Ms,
  pending: [],
});

test('a pool whose jobs are short is asked about, but only long waits are a verdict by themselves', () => {
  expect([isQueueing(pool(17, 0.3)), isSaturated(pool(17, 0.3))]).toEqual([true, false]);
  expect([isQueueing(pool(400, 1)), isSaturated(pool(400, 1))]).toEqual([true, true]);
});

test('an idle pool, and one that is as late as the loop itself, raise nothing', () => {
  expect([isQueueing(pool(0.1, 0.1)), isSaturated(pool(0.1, 0.1))]).toEqual([false, false]);
  expect([isQueueing(pool(150, 120)), isSaturated(pool(150, 120))]).toEqual([false, false]);
});

test('a loop that stood still while the pool was asked says nothing of the pool', () => {
  expect(isQueueing({ ...pool(2050, 0), probes: 1, unanswered: 1 })).toBe(false);
});

test('threads that compute without a break queue also where the loop is late for want of a core', () => {
  expect([isQueueing(pool(40, 20)), isQueueing({ ...pool(40, 20), busyThreads: 3.5 })]).toEqual([false, true]);
  expect(isQueueing({ ...pool(40, 20), busyThreads: 2.9 })).toBe(false);
  expect(isQueueing({ ...pool(4, 0.2), busyThreads: 3.9 })).toBe(false);
});
