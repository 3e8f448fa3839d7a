import { expect, test } from 'vitest';
import { ALERT_POLICY } from '../../src/monitor/alert-book.js';
import { DETECTOR_DEFAULTS } from '../../src/monitor/detector.js';
import { DEFAULT_RULES, ruleOf } from '../../src/monitor/rules.js';
import { type MonitorOptions, TargetMonitor } from '../../src/monitor/target-monitor.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STEP = 30_000;
const options: MonitorOptions = {
  ...{ rules: [], detector: DETECTOR_DEFAULTS, policy: ALERT_POLICY, retentionMs: 24 * HOUR, maxSamples: 2880 },
};

/** Feeds a value every 30 s; answers with what was said and when, in minutes. */
function said(values: (minute: number) => { readonly [metric: string]: number }, hours: number, more = options) {
  const monitor = new TargetMonitor('app', more);
  const news: string[] = [];
  for (let at = 0; at < hours * HOUR; at += STEP)
    for (const { kind, alert } of monitor.observe(values(at / MINUTE), at))
      news.push(`${kind} ${alert.rule} ${at / MINUTE}`);
  return { news, monitor };
}

/** Deterministic noise, -1 to 1. */
const noise = (minute: number) => Math.sin(minute * 12.9898) * Math.cos(minute * 78.233);
const MIB = 1_048_576;

test('a healthy day makes no alert: seasons, a sawtooth heap, a nightly job', () => {
  const { news } = said(
    minute => ({
      'loop.utilization': 0.3 + 0.2 * Math.sin((minute / 720) * Math.PI) + 0.02 * noise(minute),
      'heap.usedBytes': (80 + ((minute * 9) % 40)) * MIB,
      'heap.liveShare': 0.2 + 0.01 * noise(minute),
      'memory.rssBytes': (160 + 6 * noise(minute)) * MIB,
      'loop.delayP99Ms': 4 + 2 * noise(minute),
      'fds.open': 40 + 5 * noise(minute),
    }),
    24,
    { ...options, rules: DEFAULT_RULES },
  );
  expect(news).toEqual([]);
});

test('a level that holds becomes the new normal when the cooldown is over', () => {
  const { news } = said(minute => ({ 'loop.delayP99Ms': (minute < 180 ? 4 : 60) + noise(minute) }), 6);
  expect(news).toEqual(['fired anomaly:loop.delayP99Ms 181', 'resolved anomaly:loop.delayP99Ms 196']);
});

test('a limit that will be reached today is foretold, with its band', () => {
  const { news, monitor } = said(minute => ({ 'heap.liveShare': 0.1 + minute / 1200 + 0.004 * noise(minute) }), 2);
  expect(news.map(line => line.split(' ').slice(0, 2).join(' '))).toEqual(['fired forecast:heap.liveShare']);
  expect(monitor.open[0]?.title).toMatch(
    /its limit is reached in 1\d\.\d h \(1\d\.\d to [12]\d\.\d h\): [45]\.\d % of it an hour/,
  );
});

test('a metric that is not read neither fires nor heals', () => {
  const parsed = ruleOf('fds.open>10');
  const rules = 'rule' in parsed ? [parsed.rule] : [];
  const values = (minute: number) => (minute >= 2 && minute < 5 ? {} : { 'fds.open': minute < 8 ? 20 : 5 });
  expect(said(values, 0.2, { ...options, rules }).news.map(line => line.split(' ').at(0))).toEqual([
    'fired',
    'resolved',
  ]);
});

test('a window speaks when it is covered: what lasts one reading after a start has not lasted two minutes', () => {
  const parsed = ruleOf('gc.share>30% in 80% of 2m');
  const rules = 'rule' in parsed ? [parsed.rule] : [];
  const start = (minute: number) => ({ 'gc.share': minute < 1 ? 0.6 : 0.01 });
  const { news, monitor } = said(start, 1, { ...options, rules });
  expect(news).toEqual([]);
  monitor.lost(HOUR);
  const again = Array.from({ length: 20 }, (_, i) => monitor.observe({ 'gc.share': 0.6 }, HOUR + i * STEP));
  expect(again.findIndex(told => told.length > 0)).toBe(4); // 0.8 of two minutes after the first
});

test('a forecast knows this process alone, not the one before its restart', () => {
  const { monitor } = said(() => ({ 'heap.liveShare': 0.2 }), 2);
  monitor.lost(2 * HOUR);
  const flat = Array.from({ length: 240 }, (_, i) => monitor.observe({ 'heap.liveShare': 0.6 }, 2 * HOUR + i * STEP));
  expect(flat.flat().filter(({ alert }) => alert.kind === 'forecast')).toEqual([]);
});

test('flapping around a limit is told once', () => {
  const parsed = ruleOf('fds.open>10');
  const rules = 'rule' in parsed ? [parsed.rule] : [];
  const { news } = said(minute => ({ 'fds.open': (minute * 2) % 2 < 1 ? 20 : 5 }), 1, { ...options, rules });
  expect(news.filter(line => line.startsWith('fired')).length).toBeLessThanOrEqual(1);
});

test('a process that is gone ends its alerts; a young one is not judged by what is normal', () => {
  const { monitor } = said(minute => ({ 'loop.delayP99Ms': 4 + noise(minute) }), 3);
  const late = { 'loop.delayP99Ms': 900 };
  for (const step of [1, 2, 3, 4]) expect(monitor.observe(late, 3 * HOUR + step, 20_000)).toEqual([]);
  const news = [1, 2, 3].flatMap(step => monitor.observe(late, 4 * HOUR + step, 90_000));
  expect(news.map(({ kind }) => kind)).toEqual(['fired']);
  expect(monitor.lost(5 * HOUR).map(({ kind }) => kind)).toEqual(['resolved']);
});

test('what was learnt goes on in the next watch at once', () => {
  const { monitor } = said(minute => ({ 'loop.delayP99Ms': 4 + noise(minute) }), 3);
  const next = new TargetMonitor('app', options, { baselines: monitor.baselines(), open: [] });
  const news = [1, 2, 3].flatMap(step => next.observe({ 'loop.delayP99Ms': 900 }, 10 * HOUR + step));
  expect(news.map(({ kind, alert }) => `${kind} ${alert.metric}`)).toEqual(['fired loop.delayP99Ms']);
});
