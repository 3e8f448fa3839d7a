import { describe, expect, test } from 'vitest';
import { divideHedged } from '../../src/coordinator/hedging.js';
import { quotedNumbers } from '../../src/coordinator/quoted-numbers.js';
import { verifyNotification } from '../../src/coordinator/verify.js';
import { verifyInsight } from '../../src/coordinator/verify-insight.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { Insight } from '../../src/model/insight.js';
import type { Notification } from '../../src/model/notification.js';

const reading = (id: string, data: unknown, status: Evidence['status'] = 'ok'): Evidence => ({
  id,
  kind: 'vitals',
  takenAt: 1_700_000_000_000,
  pausedMs: 0,
  costMs: 1,
  status,
  data,
});

const said = (over: Partial<Notification> = {}): Notification => ({
  id: 'n-1',
  operator: 'heap',
  anomalyType: 'growth',
  faultClass: 'memory.leak.collection',
  severity: 'critical',
  context: 'A window of 20 s.',
  observation: 'Live heap rose from 40.1 MB to 52.3 MB.',
  metrics: [],
  snapshotIds: [],
  evidenceIds: ['e-1'],
  confidence: 'high',
  detectedAt: 0,
  traceId: 't',
  ...over,
});

const HEAP = reading('e-1', {
  seconds: 20,
  samples: [{ heapUsedBytes: 40_123_456 }, { heapUsedBytes: 52_301_111 }],
  frames: [{ url: 'file:///srv/app/src/cache.js', lineNumber: 41, functionName: 'remember' }],
});
const SOURCE = reading('e-2', { scriptId: '7', url: 'file:///srv/app/src/cache.js', text: 'a\n'.repeat(80) });
const READ = new Map([HEAP, SOURCE].map(evidence => [evidence.id, evidence]));
const codes = (notification: Notification, author: 'rules' | 'model' = 'model') =>
  verifyNotification(notification, READ, { author }).problems.map(problem => problem.code);

describe('numbers', () => {
  test('rounded numbers in other units are confirmed', () => {
    expect(codes(said())).toEqual([]);
    expect(codes(said({ observation: 'Live heap was 38.3 MiB, then 49.9 MiB.' }))).toEqual([]);
    expect(codes(said({ observation: 'It lasted about 20000 ms.' }))).toEqual([]);
  });

  test('an invented number is marked, and lowers the confidence', () => {
    const { ok, notification, problems } = verifyNotification(said({ observation: 'Live heap rose to 977 MB.' }), READ);
    expect(ok).toBe(true);
    expect(problems).toEqual([{ code: 'unconfirmed-number', message: '"977 MB" is in none of the cited evidence.' }]);
    expect(notification.confidence).toBe('medium');
    expect(notification.marks).toEqual(['"977 MB" is in none of the cited evidence.']);
  });

  test('a difference, a rate and a share of confirmed numbers are confirmed', () => {
    expect(codes(said({ observation: 'From 40.1 MB to 52.3 MB in 20 s: 12.2 MB, 0.61 MB/s, 30.4 % more.' }))).toEqual(
      [],
    );
    expect(codes(said({ observation: 'From 40.1 MB to 52.3 MB in 20 s: 3.7 MB/s.' }))).toEqual(['unconfirmed-number']);
  });

  test("a rule's metrics support its sentence, a model's do not", () => {
    const claim = said({
      observation: 'It grew by 777 kB/s.',
      metrics: [{ name: 'growth', value: 777_000, unit: 'B/s' }],
    });
    expect(codes(claim, 'rules')).toEqual([]);
    expect(codes(claim, 'model')).toEqual(['unconfirmed-number']);
    expect(verifyNotification(claim, READ, { author: 'model' }).notification.metrics).toEqual([]);
  });

  test('what the sandbox computed may be quoted', () => {
    const claim = said({ observation: 'There are 4711 listeners.' });
    expect(verifyNotification(claim, READ, { author: 'model', answers: [{ listeners: 4711 }] }).problems).toEqual([]);
  });

  test('names, versions, places and quotations are not measurements', () => {
    const text =
      'node v20.19.3 on port 9229, p99 of utf8 in src/a9.js:123 said "took 999 ms" at 12:30:01 with HTTP/1.1 5xx';
    expect(quotedNumbers(text).map(number => number.text)).toEqual([]);
  });

  test.each([
    ['1,234 entries', 1234, 'plain'],
    ['12 345 timers', 12_345, 'plain'],
    ['4.2 MB/s', 4.2e6, 'bytes'],
    ['1.5 GiB', 1.5 * 2 ** 30, 'bytes'],
    ['350 µs', 0.35, 'time'],
    ['87 %', 87, 'share'],
    ['2.5k requests', 2500, 'plain'],
    ['2 min', 120_000, 'time'],
  ])('%s is read in base units', (text, value, dimension) => {
    const [number] = quotedNumbers(`It shows ${text}.`);
    expect(number?.value).toBeCloseTo(value, 3);
    expect(number?.dimension).toBe(dimension);
  });
});

describe('ids', () => {
  test('a notification without usable evidence is refused', () => {
    expect(verifyNotification(said({ evidenceIds: ['made-up'] }), READ).ok).toBe(false);
    expect(codes(said({ evidenceIds: ['made-up'] }))).toContain('unknown-evidence');
    const refused = new Map([['e-1', reading('e-1', {}, 'refused')]]);
    expect(verifyNotification(said({ observation: 'It is so.' }), refused).ok).toBe(false);
  });

  test('an invented id beside a true one is dropped and marked', () => {
    const { ok, notification } = verifyNotification(said({ evidenceIds: ['e-1', 'e-99'] }), READ);
    expect(ok).toBe(true);
    expect(notification.evidenceIds).toEqual(['e-1']);
    expect(notification.confidence).toBe('medium');
  });

  test('a snapshot that does not exist is dropped', () => {
    const { notification } = verifyNotification(said({ snapshotIds: ['s-9'] }), READ, { snapshots: new Map() });
    expect(notification.snapshotIds).toEqual([]);
  });
});

describe('words', () => {
  test('a guess stated as fact moves to the hypothesis', () => {
    const observation = 'Live heap rose to 52.3 MB. The cache is probably unbounded.';
    const { ok, notification } = verifyNotification(said({ observation }), READ);
    expect(ok).toBe(true);
    expect(notification.observation).toBe('Live heap rose to 52.3 MB.');
    expect(notification.hypothesis).toBe('The cache is probably unbounded.');
    expect(notification.confidence).toBe('high');
  });

  test('an observation of guesses alone is refused', () => {
    expect(verifyNotification(said({ observation: 'There might be a leak.' }), READ).ok).toBe(false);
  });

  test('facts that only sound like guesses stay', () => {
    for (const fact of [
      'The map could not be read.',
      'The line appears 40 times.',
      'It logged "connection may be lost".',
    ]) {
      expect(divideHedged(fact)).toEqual({ facts: fact, guesses: '' });
    }
  });
});

describe('places', () => {
  const at = (file: string, line: number) => said({ culprit: { file, line } });

  test('a file that was read is a place, under a shorter path too', () => {
    expect(codes(at('src/cache.js', 42))).toEqual([]);
    expect(codes(at('/srv/app/src/cache.js', 80))).toEqual([]);
  });

  test("a model's invented file or line is taken out", () => {
    for (const [file, line] of [
      ['src/nowhere.js', 3],
      ['/srv/app/src/cache.js', 900],
      ['ache.js', 4],
    ] as const) {
      const { notification, problems } = verifyNotification(at(file, line), READ, { author: 'model' });
      expect(problems).toHaveLength(1);
      expect(notification.culprit).toBeUndefined();
      expect(notification.confidence).toBe('medium');
    }
  });

  test("a rule's place is marked, never taken out", () => {
    const { notification } = verifyNotification(at('src/nowhere.js', 3), READ);
    expect(notification.culprit).toEqual({ file: 'src/nowhere.js', line: 3 });
    expect(notification.marks).toHaveLength(1);
  });

  test('sources named by a source map are places', () => {
    const sourceMap = JSON.stringify({ sources: ['../src/order.ts'], sourcesContent: ['1\n2\n3'] });
    const read = new Map([['e-1', reading('e-1', { url: '/srv/dist/o.js', text: 'x', sourceMap })]]);
    const claim = (line: number) =>
      said({ observation: 'So it is.', context: '', culprit: { file: 'src/order.ts', line } });
    expect(verifyNotification(claim(3), read).problems).toEqual([]);
    expect(verifyNotification(claim(4), read).problems.map(p => p.code)).toEqual(['line-beyond-file']);
  });

  test('a script that a loader compiled under the name of its source has other lines than that', () => {
    const script = {
      url: 'file:///srv/store.ts',
      text: 'one line',
      sourceMap: JSON.stringify({ sources: ['store.ts'] }),
    };
    const claim = said({ observation: 'So it is.', context: '', culprit: { file: 'store.ts', line: 6 } });
    expect(verifyNotification(claim, new Map([['e-1', reading('e-1', script)]])).problems).toEqual([]);
  });
});

describe('insights', () => {
  const insight = (over: Partial<Insight>): Insight => ({
    id: 'i-1',
    rank: 1,
    title: 'A leak',
    faultClass: 'memory.leak.collection',
    severity: 'critical',
    confidence: 'high',
    correlation: 'causal',
    summary: 's',
    matchedObservations: [],
    grounded: true,
    notificationIds: ['n-1'],
    evidenceIds: ['e-1'],
    ...over,
  });
  const heard = (...all: Notification[]) => new Map(all.map(n => [n.id, n]));

  test('grounding is earned by two operators or a mechanism', () => {
    const one = verifyInsight(insight({}), heard(said()), READ);
    expect([one.insight.grounded, one.insight.confidence]).toEqual([false, 'medium']);
    expect(verifyInsight(insight({}), heard(said({ mechanism: true })), READ).insight.grounded).toBe(true);
    const two = heard(said(), said({ id: 'n-2', operator: 'gc' }));
    expect(verifyInsight(insight({ notificationIds: ['n-1', 'n-2'] }), two, READ).insight.grounded).toBe(true);
  });

  test('an insight over invented notifications is refused', () => {
    expect(verifyInsight(insight({ notificationIds: ['n-77'] }), heard(said()), READ).ok).toBe(false);
  });

  test('observations that nobody made are dropped', () => {
    const { insight: left } = verifyInsight(
      insight({ grounded: false, matchedObservations: ['Live heap rose', 'Pigs fly'] }),
      heard(said()),
      READ,
    );
    expect(left.matchedObservations).toEqual(['Live heap rose']);
  });

  test.each([
    ['a number', 'It leaks 99 887 766 objects.'],
    ['a place', 'It leaks at src/invented.js:7.'],
    ['a guess', 'It is probably the cache.'],
  ])('%s that nothing confirms is not repeated', (_, words) => {
    const { insight: left } = verifyInsight(insight({ title: words, rootCause: words }), heard(said()), READ);
    expect([left.title, left.summary]).toEqual([said().observation, said().observation]);
    expect(left.rootCause).toBeUndefined();
    expect(left.confidence).toBe('medium');
    expect(left.marks?.length).toBeGreaterThan(1);
  });

  test('words that what was noticed confirms stay', () => {
    const title = said().observation;
    expect(verifyInsight(insight({ title, grounded: false }), heard(said()), READ).insight).toMatchObject({ title });
  });
});

test("a model's claim that does not hold alarms nobody; a rule's is our bug, and stays", () => {
  const wrong = said({ observation: 'It holds 987 654 MB.', severity: 'critical' });
  expect(verifyNotification({ ...wrong, author: 'model' }, READ).notification.severity).toBe('info');
  expect(verifyNotification(wrong, READ).notification.severity).toBe('critical');
});

test('what was checked before it was sent is not marked and lowered again', () => {
  const once = verifyNotification(said({ observation: 'It holds 987 654 MB.', author: 'model' }), READ).notification;
  expect(verifyNotification(once, READ).notification).toEqual(once);
});

test('a file that only the words of a model name is found out; a name with a dot is none', () => {
  const problems = (title: string) => verifyNotification(said({ title, author: 'model' }), READ).problems;
  expect(problems('It leaks at src/invented.js').map(({ code }) => code)).toContain('unknown-file');
  expect(problems('Node.js and Express.js are fine').map(({ code }) => code)).not.toContain('unknown-file');
});

test.each([
  ['980000', 980_000 * 0.01],
  ['987654', 987_654 * 0.0005],
  ['15.95 MB', 15.95e6 * 0.002],
  ['4.1 s', 50],
])('as many digits as are said must be right: %s', (text, tolerance) => {
  expect(quotedNumbers(`It has ${text}.`, true)[0]?.tolerance).toBeCloseTo(tolerance);
});
