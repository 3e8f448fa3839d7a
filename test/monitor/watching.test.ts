import { expect, test } from 'vitest';
import type { Alert } from '../../src/model/watch-event.js';
import { ALERT_POLICY } from '../../src/monitor/alert-book.js';
import { DETECTOR_DEFAULTS } from '../../src/monitor/detector.js';
import { healthOf, Stability } from '../../src/monitor/health.js';
import { isNamed, Schedule } from '../../src/monitor/intervals.js';
import { ruleOf } from '../../src/monitor/rules.js';
import { type MonitorOptions, TargetMonitor } from '../../src/monitor/target-monitor.js';

const MINUTE = 60_000;
const ruled = (...texts: readonly string[]): MonitorOptions => ({
  rules: texts.map(text => {
    const parsed = ruleOf(text);
    if ('problem' in parsed) throw new Error(parsed.problem);
    return { ...parsed.rule, soakMs: 0, coolMs: 0 };
  }),
  ...{ detector: DETECTOR_DEFAULTS, policy: ALERT_POLICY, retentionMs: 60 * MINUTE, maxSamples: 200 },
});

test.each([
  ['gc.share>30%', undefined],
  ['gc.share>30% over 2m', { ms: 2 * MINUTE, mode: 'average' }],
  ['loop.delayP99Ms > 150ms in 80% of 90s', { ms: 90_000, mode: 'percentage', share: 0.8 }],
  ['my.queue>100 over 10s', { ms: 10_000, mode: 'average' }],
] as const)('“%s” has its window', (text, window) => {
  const parsed = ruleOf(text);
  expect('rule' in parsed && parsed.rule.window).toEqual(window);
});

test.each(['gc.share>30% over soon', 'gc.share>30% in most of 2m', 'your.queue>1'])('“%s” is no rule', text => {
  expect(ruleOf(text)).toHaveProperty('problem');
});

test('a mean over a time forgives a peak, a share of readings asks for most of them', () => {
  const firing = (text: string, values: readonly number[]) => {
    const monitor = new TargetMonitor('app', ruled(text));
    return values.flatMap((value, i) => {
      const news = monitor.observe({ 'my.queue': value }, i * 10_000);
      return news.map(({ kind }) => `${i} ${kind}`);
    });
  };
  expect(firing('my.queue>10 over 1m', [0, 0, 30, 0, 0])).toEqual([]);
  expect(firing('my.queue>10 over 1m', [0, 0, 30, 30, 30, 0, 0, 0, 0, 0])).toEqual(['5 fired', '9 resolved']);
  expect(firing('my.queue>10 in 80% of 30s', [90, 0, 90, 90, 90, 90])).toEqual(['5 fired']);
});

test('rules that are taken away end what burns by them, also after a restart of lens', () => {
  const monitor = new TargetMonitor('app', ruled('my.queue>10'));
  const [fired] = monitor.observe({ 'my.queue': 20 }, 0);
  expect(monitor.configure(ruled('my.queue>50'), 1_000).map(({ kind }) => kind)).toEqual(['resolved']);
  expect(monitor.observe({ 'my.queue': 60 }, 2_000).map(({ alert }) => alert.rule)).toEqual(['my.queue>50']);

  const open = [fired?.alert as Alert]; // fired above
  const later = new TargetMonitor('app', ruled('my.queue>50'), { baselines: new Map(), open });
  expect(later.observe({ 'my.queue': 20 }, 3_000)).toMatchObject([
    { kind: 'resolved', alert: { rule: 'my.queue>10' } },
  ]);
});

test('what is unusual is named with its deviations, furthest first', () => {
  const monitor = new TargetMonitor('app', { ...ruled(), detector: { ...DETECTOR_DEFAULTS, learningMs: 20 * MINUTE } });
  const at = (minute: number) => ({
    'fds.open': 40 + (minute % 3),
    'cpu.percent': 20 + (minute % 5),
    'loop.delayP99Ms': 4,
  });
  for (let minute = 0; minute < 40; minute++) monitor.observe(at(minute), minute * MINUTE);
  const unusual = monitor.unusual({ ...at(0), 'fds.open': 400, 'cpu.percent': 60 });
  expect(unusual.map(({ metric }) => metric)).toEqual(['fds.open', 'cpu.percent']);
  expect(unusual[0]).toMatchObject({ said: '400' });
  expect(monitor.unusual(at(1))).toEqual([]);
});

test('health is the worst that burns; stability is the mean of the hour, away counts as nothing', () => {
  expect(healthOf([])).toBe('healthy');
  expect(healthOf([{ level: 'warning' }, { level: 'critical' }])).toBe('critical');
  const stability = new Stability();
  expect(stability.share(0)).toBeUndefined();
  for (let minute = 0; minute < 30; minute++) stability.add('healthy', minute * MINUTE);
  expect(stability.share(30 * MINUTE)).toBe(1);
  stability.away(30 * MINUTE, 45 * MINUTE - 1);
  for (let minute = 45; minute < 60; minute++) stability.add('warning', minute * MINUTE);
  expect(stability.share(60 * MINUTE)).toBeCloseTo((29 + 15 * 0 + 15 * 0.5) / 59, 2);
  expect(stability.share(200 * MINUTE)).toBeUndefined();
});

test('metrics with an interval of their own rest between, in groups', () => {
  const schedule = new Schedule();
  const every = { 'fds.*': 5 * MINUTE, 'my.queue': MINUTE };
  const read = Array.from({ length: 21 }, (_, i) => schedule.resting(every, i * 30_000, 30_000)).map(resting => [
    isNamed('fds.open', resting),
    isNamed('my.queue', resting),
    isNamed('cpu.percent', resting),
  ]);
  expect(read.flatMap(([fds], i) => (fds ? [] : [i]))).toEqual([0, 10, 20]);
  expect(read.flatMap(([, queue], i) => (queue ? [] : [i]))).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  expect(read.some(([, , cpu]) => cpu)).toBe(false);
});
