import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Spread } from '../../src/model/saved-baseline.js';
import { METRICS } from '../../src/model/vital-metrics.js';
import { regressions, summarize, withRun } from '../../src/monitor/regression.js';
import { parseThreshold } from '../../src/monitor/threshold.js';

const MIB = 1_048_576;
const spread = (mean: number, deviation = 0): Spread => ({ count: 5, mean, deviation, p95: mean });
const saved = (...means: readonly number[]) => ({
  schema: 'lens.baseline/1' as const,
  application: 'shop',
  runs: means.map(mean => ({ at: 0, nodeVersion: 'v24', metrics: { 'memory.rssBytes': spread(mean * MIB) } })),
});
const worse = (baseline: ReturnType<typeof saved>, now: number) =>
  regressions(baseline, { 'memory.rssBytes': spread(now * MIB) }).map(({ kind }) => kind.name);

test('a metric regresses only beyond its deviations, beyond a relative change, and beyond its floor', () => {
  expect(worse(saved(100, 101, 99), 160)).toEqual(['memory.rssBytes']);
  expect(worse(saved(100, 101, 99), 120)).toEqual([]); // many deviations, but only a fifth more
  expect(worse(saved(20, 20, 20), 34)).toEqual([]); // seven tenths more, but only 14 MB
  expect(worse(saved(60, 180, 90, 150), 190)).toEqual([]); // runs differ by as much anyway
});

test('less of what is better with less is no regression', () => {
  expect(worse(saved(100, 101, 99), 10)).toEqual([]);
});

test('a baseline keeps the last twenty runs', () => {
  let baseline = saved(1);
  for (let run = 2; run <= 30; run++)
    baseline = withRun(baseline, 'shop', { at: run, nodeVersion: 'v24', metrics: {} }) as typeof baseline;
  expect(baseline.runs.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, i) => i + 11));
});

test('windows without a reading of a metric leave it out of its mean', () => {
  const summary = summarize([{ 'gc.share': 0.1 }, { 'gc.share': 0.3, 'fds.open': 9 }]);
  expect(summary['gc.share']).toMatchObject({ count: 2, mean: 0.2 });
  expect(summary['fds.open']).toMatchObject({ count: 1, mean: 9 });
});

test.each([
  ['memory.rssBytes>512MB', 'above', 512 * MIB],
  ['loop.delayP99Ms > 1.5s', 'above', 1500],
  ['heap.limitShare>80%', 'above', 0.8],
  ['sockets.established<1', 'below', 1],
] as const)('“%s” is a limit', (text, comparison, limit) => {
  expect(parseThreshold(text)).toMatchObject({ comparison, limit });
});

test.each(['memory.rssBytes', 'memory.rssBytes>lots', 'gc.share>3ms', 'no.such>1'])('“%s” is none', text => {
  expect(parseThreshold(text)).toHaveProperty('problem');
});

test('the documentation names every metric', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/ci.md'), 'utf8');
  const missing = METRICS.filter(({ name }) => {
    const [group = '', own = ''] = name.split('.');
    return !docs
      .split('\n')
      .some(row => row.includes(`\`${name}\``) || (row.includes(`| \`${group}\``) && row.includes(`\`${own}\``)));
  });
  expect(missing.map(({ name }) => name)).toEqual(['health.stability']); // of `lens watch` alone
});
