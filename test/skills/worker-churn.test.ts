import { expect, test } from 'vitest';
import type { Vitals } from '../../src/model/evidence/vitals.js';
import type { Workers } from '../../src/model/evidence/workers.js';
import { besideMain, isChurning } from '../../src/skills/worker-churn.js';

const threads = (spawned: number, lifetimeMs: number, code = 0): Workers => ({
  seconds: 6,
  workerCounts: [1, 0, 1],
  workersBorn: 2,
  workersGone: 2,
  workers: [],
  offspring: [
    {
      kind: 'worker',
      name: 'worker',
      spawned,
      frames: [],
      endings: Array.from({ length: spawned }, () => ({ code, lifetimeMs })),
    },
  ],
});

test('a thread for each short piece of work is churn; a schedule, long jobs and crashes are not', () => {
  expect(isChurning(threads(70, 40))).toBe(true);
  expect(isChurning(threads(9, 40))).toBe(false);
  expect(isChurning(threads(70, 900))).toBe(false);
  expect(isChurning(threads(70, 40, 1))).toBe(false);
});

test('what the process takes beside its main thread is unknown where /proc says nothing of that thread', () => {
  expect(besideMain({ cpuPercent: 59, mainThreadPercent: 23 } as Vitals)).toBeCloseTo(0.36); // the rest is not read
  expect(besideMain({ cpuPercent: 59 } as Vitals)).toBe(0);
});
