import fc from 'fast-check';
import { expect, test } from 'vitest';
import { learn } from '../../src/base/normal.js';
import { type AlertRule, type AlertState, CLEAR, judge, step } from '../../src/monitor/alert.js';
import { type DetectorState, observe, startDetector } from '../../src/monitor/detector.js';
import { timeToLimit } from '../../src/monitor/forecast.js';
import { History } from '../../src/monitor/history.js';
import { restartPatterns } from '../../src/monitor/restarts.js';

const options = { learningMs: 20_000, z: 3, consecutive: 3, cooldownMs: 60_000 };

/** Feeds one sample a second; returns when anomalies came, in seconds. */
function anomalies(values: readonly number[], start: DetectorState = startDetector(0)): number[] {
  let state = start;
  return values.flatMap((value, i) => {
    const seen = observe(state, value, i * 1000, options);
    state = seen.state;
    return seen.anomaly ? [i] : [];
  });
}

const steady = (n: number, level = 100) => Array.from({ length: n }, (_, i) => level + ((i * 7) % 5) - 2);

test('a step is an anomaly at its third sample, once, and then there is quiet', () => {
  expect(anomalies([...steady(30), ...new Array(30).fill(200)])).toEqual([32]);
});

test('a constant that jumps is seen: the deviation has a floor', () => {
  expect(anomalies([...new Array(30).fill(50), ...new Array(5).fill(60)])).toEqual([32]);
});

test('single spikes on one series never add up', () => {
  const spiky = steady(90).map((v, i) => (i > 30 && i % 3 === 0 ? v * 5 : v));
  expect(anomalies(spiky)).toEqual([]);
});

test('slow drift is followed, not alarmed', () => {
  expect(
    anomalies([...steady(30), ...Array.from({ length: 300 }, (_, i) => 100 + i * 0.05 + ((i * 7) % 5) - 2)]),
  ).toEqual([]);
});

test('a saved baseline starts active: no second learning', () => {
  const saved = learn(steady(30), 0);
  expect(anomalies(new Array(3).fill(300), startDetector(0, saved))).toEqual([2]);
});

const rule: AlertRule = {
  id: 'r',
  metric: 'm',
  comparison: 'above',
  limit: 10,
  level: 'warning',
  soakMs: 5000,
  coolMs: 30_000,
};

test('a fault shorter than the soak fires nothing; one fault fires once and resolves once', () => {
  const run = (values: readonly number[]) => {
    let state: AlertState = CLEAR;
    return values.flatMap((value, i) => {
      const next = step(rule, state, value > 10 ? 'breached' : 'healthy', i * 1000);
      state = next.state;
      return next.change ? [`${i}:${next.change}`] : [];
    });
  };
  expect(run([0, 20, 20, 0, 0])).toEqual([]);
  expect(run([0, ...new Array(10).fill(20), ...new Array(40).fill(0)])).toEqual(['6:fired', '41:resolved']);
});

test('however a metric flaps, fired and resolved alternate', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('breached' as const, 'healthy' as const, undefined), { maxLength: 200 }),
      verdicts => {
        let state: AlertState = CLEAR;
        let open = false;
        for (const [i, verdict] of verdicts.entries()) {
          const next = step(rule, state, verdict, i * 1000);
          state = next.state;
          if (next.change) {
            expect(next.change).toBe(open ? 'resolved' : 'fired');
            open = !open;
          }
        }
      },
    ),
  );
});

test('a window judges the average or the share, and an unread metric is no verdict', () => {
  const samples = [5, 5, 30, 30].map((value, i) => ({ at: i * 1000, value }));
  expect(judge({ ...rule, window: { ms: 10_000, mode: 'average' } }, samples, 3000)).toBe('breached');
  expect(judge({ ...rule, window: { ms: 10_000, mode: 'percentage', share: 0.6 } }, samples, 3000)).toBe('healthy');
  expect(judge(rule, [], 0)).toBeUndefined();
});

test('restarts: storm, recurring, cascade, periodic and a resource limit are each found, and quiet ones are quiet', () => {
  const every = (ms: number, n: number, child = 'w1') =>
    Array.from({ length: n }, (_, i) => ({ at: i * ms, child, reason: 'exit 1' }));
  const kinds = (list: Parameters<typeof restartPatterns>[0], now: number) =>
    restartPatterns(list, now).map(p => p.kind);
  expect(kinds(every(1000, 12), 12_000)).toEqual(expect.arrayContaining(['storm', 'recurring', 'periodic']));
  expect(
    kinds(
      ['a', 'b', 'c'].map((child, i) => ({ at: i * 500, child, reason: '' })),
      2000,
    ),
  ).toEqual(['cascade']);
  const lives = (last: (i: number) => object) =>
    every(3_600_000, 4).map((r, i) => ({
      ...{ ...r, at: r.at * (i + 1) },
      first: { 'memory.rssBytes': 1e8, 'fds.open': 26, 'threads.count': 12 },
      before: { 'memory.rssBytes': 1e8, 'fds.open': 27, 'threads.count': 12, ...last(i) },
    }));
  expect(
    kinds(
      lives(() => ({})),
      1e9,
    ),
  ).toEqual([]); // what was always there ends nobody
  const atLimit = lives(i => ({ 'memory.rssBytes': 5e8 + i * 1e6, 'fds.open': 80 }));
  expect(restartPatterns(atLimit, 1e9)).toMatchObject([{ kind: 'resource', metric: 'memory.rssBytes' }]);
  expect(
    kinds(
      [
        { at: 0, child: 'a', reason: '' },
        { at: 100_000, child: 'b', reason: '' },
      ],
      200_000,
    ),
  ).toEqual([]);
});

test('a ramp has a date with a band, noise has none, few points are not enough', () => {
  const ramp = Array.from({ length: 30 }, (_, i) => ({ at: i * 60_000, value: 100 + i * 2 + ((i * 7) % 3) }));
  const forecast = timeToLimit(ramp, 400);
  expect(forecast.kind).toBe('reaches');
  if (forecast.kind === 'reaches') {
    expect(forecast.perHour).toBeCloseTo(120, -1);
    expect(forecast.earliestMs).toBeLessThan(forecast.atMs);
    expect(forecast.latestMs).toBeGreaterThan(forecast.atMs);
  }
  expect(
    timeToLimit(
      ramp.map((p, i) => ({ ...p, value: 100 + ((i * 7) % 5) })),
      400,
    ).kind,
  ).toBe('flat');
  expect(timeToLimit(ramp.slice(0, 5), 400)).toEqual({ kind: 'not-enough-data', samples: 5 });
});

test('history forgets the old, bounds the many, and counts what it dropped', () => {
  const history = new History({ retentionMs: 10_000, maxMoments: 5, maxSeries: 1 });
  for (let i = 0; i < 8; i++) history.add({ m: i, ...(i === 7 && { other: 1 }) }, i * 1000);
  expect(history.range('m', 0, 7000).map(p => p.value)).toEqual([3, 4, 5, 6, 7]);
  expect(history.range('m', 0, 15_000).map(p => p.value)).toEqual([5, 6, 7]);
  expect(history.dropped).toEqual({ moments: 3, series: 1 });
  history.add({ m: 8 }, 20_000); // the oldest was too old anyway
  expect(history.dropped.moments).toBe(3);
});

test('history answers like a list of all that was read, whatever was read and asked', () => {
  const reading = fc.record({ a: fc.nat(99), b: fc.nat(99) }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 300 }), fc.nat(300), fc.nat(300), (readings, from, to) => {
      const history = new History({ retentionMs: 150, maxMoments: 100, maxSeries: 9 });
      for (const [at, values] of readings.entries()) history.add(values, at);
      for (const metric of ['a', 'b'] as const) {
        const known = readings.map((values, at) => ({ at, value: values[metric] })).slice(-100);
        const meant = known.filter(
          ({ at, value }) => value !== undefined && at >= Math.max(from, to - 150) && at <= to,
        );
        expect(history.range(metric, from, to)).toEqual(meant);
      }
    }),
  );
});
