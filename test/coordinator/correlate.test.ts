import { expect, test } from 'vitest';
import { correlate } from '../../src/coordinator/correlate.js';
import { verdictOf } from '../../src/coordinator/verdict.js';
import type { FaultClass } from '../../src/model/fault.js';
import type { Notification } from '../../src/model/notification.js';
import type { OperatorResult } from '../../src/model/report.js';

let count = 0;
function seen(operator: string, faultClass: FaultClass, more: Partial<Notification> = {}): Notification {
  count++;
  return {
    id: `n${count}`,
    operator,
    anomalyType: faultClass,
    faultClass,
    severity: 'warning',
    context: '',
    observation: `${operator} saw ${faultClass}.`,
    metrics: [],
    snapshotIds: [],
    evidenceIds: [`e${count}`],
    detectedAt: count,
    traceId: 't',
    ...more,
  };
}

const at = (file: string, line = 10) => ({ file, line });
const classes = (notifications: readonly Notification[]) =>
  correlate(notifications, prefix => prefix).map(insight => insight.faultClass);

test('a leak that keeps the collector busy is one insight, and the leak is its cause', () => {
  const insights = correlate(
    [
      seen('gc', 'gc.pressure', { severity: 'critical' }),
      seen('heap', 'memory.leak.collection', { mechanism: true, culprit: at('src/store.ts') }),
    ],
    prefix => prefix,
  );
  expect(insights.map(i => i.faultClass)).toEqual(['memory.leak.collection']);
  expect(insights[0]).toMatchObject({ correlation: 'causal', grounded: true, rank: 1 });
  expect(insights[0]?.matchedObservations).toContain('gc saw gc.pressure.');
});

test('a blocked loop explains the requests that wait', () => {
  expect(
    classes([
      seen('async', 'waiting.unsettled', { severity: 'critical', culprit: at('src/route.ts') }),
      seen('event-loop', 'loop.block.sync-api', { severity: 'critical', mechanism: true, culprit: at('src/hash.ts') }),
    ]),
  ).toEqual(['loop.block.sync-api']);
});

test('a thread that does not come back explains those who wait for its answers', () => {
  const proven = { mechanism: true, confidence: 'high' as const };
  expect(
    classes([
      seen('async', 'waiting.lock', { ...proven, culprit: at('src/server.ts') }),
      seen('workers', 'loop.hung', { mechanism: true, confidence: 'medium', culprit: at('src/lock.ts') }),
    ]),
  ).toEqual(['loop.hung']);
});

test('errors that a client throws for each failed call belong to who repeats the calls, the application’s own do not', () => {
  const proven = { mechanism: true, confidence: 'high' as const };
  const retries = seen('network', 'downstream.retries', { ...proven, culprit: at('src/rates.ts') });
  const thrown = { file: 'node_modules/axios/index.cjs', line: 1, package: 'axios' };
  expect(classes([seen('exceptions', 'exceptions.storm', { ...proven, culprit: thrown }), retries])).toEqual([
    'downstream.retries',
  ]);
  expect(
    classes([seen('exceptions', 'exceptions.storm', { ...proven, culprit: at('src/parse.ts') }), retries]),
  ).toHaveLength(2);
});

test('throwing that takes the cpu explains a block beside it, and is no excuse for one elsewhere', () => {
  const storm = { mechanism: true, confidence: 'high' as const, culprit: at('lib/fields.js', 11) };
  const block = { severity: 'critical' as const, mechanism: true, confidence: 'high' as const };
  const seenWith = (file: string) =>
    classes([
      seen('event-loop', 'loop.block.serialization', { ...block, culprit: at(file, 21) }),
      seen('exceptions', 'cpu.exceptions', storm),
    ]);
  expect(seenWith('lib/fields.js')).toEqual(['cpu.exceptions']);
  expect(seenWith('lib/export.js')).toEqual(['loop.block.serialization', 'cpu.exceptions']);
});

test('two proven faults in different files stay two', () => {
  const proven = { mechanism: true, confidence: 'high' as const };
  expect(
    classes([
      seen('heap', 'memory.leak.collection', { ...proven, culprit: at('src/cache.ts') }),
      seen('event-loop', 'loop.block.regexp', { ...proven, severity: 'critical', culprit: at('src/parse.ts') }),
    ]),
  ).toEqual(['loop.block.regexp', 'memory.leak.collection']);
});

test('of two proven faults that weigh the same, the one that may bring the other about comes first', () => {
  const proven = { mechanism: true, confidence: 'high' as const };
  const blocked = seen('workers', 'loop.block.regexp', { ...proven, culprit: at('src/check-worker.ts') });
  const waiting = seen('async', 'waiting.lock', { ...proven, culprit: at('src/server.ts'), detectedAt: 0 });
  expect(classes([waiting, blocked])).toEqual(['loop.block.regexp', 'waiting.lock']);
  expect(classes([{ ...waiting, severity: 'critical' }, blocked])).toEqual(['waiting.lock', 'loop.block.regexp']);
});

test('two operators that see one place give one insight that knows both', () => {
  const insights = correlate(
    [
      seen('heap', 'memory.leak.collection', { mechanism: true, culprit: at('src/store.ts', 12) }),
      seen('collections', 'memory.leak.collection', { culprit: at('src/store.ts', 14) }),
    ],
    prefix => prefix,
  );
  expect(insights).toHaveLength(1);
  expect(insights[0]?.notificationIds).toHaveLength(2);
});

test('a claim of one operator without a mechanism is not grounded, and its confidence is lowered', () => {
  const [insight] = correlate([seen('gc', 'gc.pressure', { confidence: 'high' })], prefix => prefix);
  expect(insight).toMatchObject({ grounded: false, confidence: 'medium' });
});

const looked = (more: Partial<OperatorResult> = {}): OperatorResult => ({
  skill: 'runtime',
  state: 'healthy',
  outcome: 'healthy',
  summary: '',
  iterations: 1,
  incomplete: false,
  durationMs: 1,
  notificationIds: [],
  ...more,
});

test('nobody looked is inconclusive, never healthy', () => {
  expect(verdictOf([], [], false)).toBe('inconclusive');
  expect(verdictOf([], [looked({ outcome: 'inconclusive' })], false)).toBe('inconclusive');
  expect(verdictOf([], [looked(), looked({ incomplete: true })], false)).toBe('inconclusive');
});

test('a process that was looked at and lost nothing is healthy; one that was lost is not', () => {
  expect(verdictOf([], [looked()], false)).toBe('healthy');
  expect(verdictOf([], [looked()], true)).toBe('inconclusive');
});

test('the ports of workers that are never ended are no second fault', () => {
  const proven = { mechanism: true, confidence: 'high' as const, culprit: at('lib/pool.js', 9) };
  expect(
    classes([seen('handles', 'handles.leak.port', proven), seen('workers', 'handles.leak.worker', proven)]),
  ).toEqual(['handles.leak.worker']);
});

test('waiters of a lock are promises that pile up: no second fault, however well their holder is proven', () => {
  const proven = { mechanism: true, confidence: 'high' as const };
  expect(
    classes([
      seen('async', 'waiting.lock', {
        ...proven,
        severity: 'critical',
        culprit: { ...at('src/booking.js'), package: 'async-mutex' },
      }),
      seen('heap', 'memory.leak.promise', { ...proven, culprit: { ...at('src/halls.js'), package: 'async-mutex' } }),
    ]),
  ).toEqual(['waiting.lock']);
});

test('of two sights of one place the deeper one is the cause, and the louder one says how loud', () => {
  const place = { mechanism: true, confidence: 'high' as const, culprit: at('src/queue.ts') };
  const [insight, ...others] = correlate(
    [seen('heap', 'memory.leak.collection', { ...place, severity: 'critical' }), seen('async', 'queue.backlog', place)],
    prefix => prefix,
  );
  expect(others).toEqual([]);
  expect(insight).toMatchObject({
    faultClass: 'queue.backlog',
    severity: 'critical',
    culprit: { file: 'src/queue.ts' },
  });
});

test('a full write buffer is placed by what piles up in it', () => {
  const [insight] = correlate(
    [
      seen('overload', 'backpressure', { mechanism: true }),
      seen('heap', 'memory.leak.collection', { mechanism: true, culprit: at('src/send.ts') }),
    ],
    prefix => prefix,
  );
  expect(insight).toMatchObject({ faultClass: 'backpressure', culprit: { file: 'src/send.ts' } });
});

test('work that fails and is put back for ever is the cause of the loop that it spins', () => {
  const put = { mechanism: true, culprit: at('src/queue.ts', 17), related: [at('src/render.ts', 4)] } as const;
  const spun = { severity: 'critical', mechanism: true, confidence: 'high' } as const;
  const sights = [
    seen('exceptions', 'exceptions.swallowed', put),
    seen('event-loop', 'loop.starvation', { ...spun, culprit: at('src/queue.ts', 28) }),
  ];
  expect(classes(sights)).toEqual(['exceptions.swallowed']);
});

test('a claim that checking took the alarm from stands apart, and adds no words to what was measured', () => {
  const leak = { mechanism: true, culprit: at('src/store.ts') };
  const lie = {
    author: 'model' as const,
    severity: 'info' as const,
    marks: ['src/lie.ts:1 is in nothing that was read.'],
  };
  const insights = correlate(
    [
      seen('heap', 'memory.leak.collection', leak),
      seen('heap', 'memory.leak.collection', { ...lie, observation: 'Lies.' }),
    ],
    prefix => prefix,
  );
  expect(insights.map(({ severity }) => severity)).toEqual(['warning', 'info']);
  expect(JSON.stringify(insights[0])).not.toContain('Lies.');
});
