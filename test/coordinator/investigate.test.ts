import { describe, expect, test } from 'vitest';
import { coordinate, type InvestigateSeat, type OperatorStatus } from '../../src/coordinator/investigate.js';
import { ModelError } from '../../src/llm/model-error.js';
import { type ScriptedProvider, type ScriptStep, scripted } from '../../src/llm/scripted.js';
import type { Notification } from '../../src/model/notification.js';

const said = (over: Partial<Notification>): Notification => ({
  id: 'notification-1',
  operator: 'heap',
  anomalyType: 'growth',
  faultClass: 'memory.leak.collection',
  severity: 'critical',
  context: 'c',
  observation: 'Entries grow by 90 a second.',
  metrics: [],
  snapshotIds: [],
  evidenceIds: ['e-1'],
  detectedAt: 0,
  traceId: 't',
  culprit: { file: 'src/cache.js', line: 4 },
  ...over,
});
const GC = said({
  id: 'notification-2',
  operator: 'gc',
  faultClass: 'gc.pressure',
  severity: 'warning',
  observation: 'Collections take 30 %.',
  culprit: { file: 'src/other.js', line: 9 },
});
const EVIDENCE = new Map([
  ['e-1', { id: 'e-1', kind: 'vitals', takenAt: 0, pausedMs: 0, costMs: 0, status: 'ok' as const, data: {} }],
]);

function world(steps: readonly ScriptStep[] | ScriptedProvider, over: Partial<InvestigateSeat> = {}) {
  const provider = 'complete' in steps ? steps : scripted(steps);
  const failures: string[] = [];
  const invoked: unknown[] = [];
  let ids = 0;
  const seat: InvestigateSeat = {
    provider,
    target: { pid: 7, nodeVersion: 'v20.1.0', command: 'node a.js', cwd: '/srv', platform: 'linux' },
    reason: 'memory',
    signal: new AbortController().signal,
    newId: prefix => `${prefix}-${++ids}`,
    sleep: async () => {},
    evidence: () => EVIDENCE,
    notifications: () => [said({}), GC],
    skills: [
      { id: 'heap', title: 'Heap' },
      { id: 'gc', title: 'GC' },
    ],
    statuses: () => [],
    invoke: (...args) => void invoked.push(args),
    settled: async () => {},
    failed: message => void failures.push(message),
    ...over,
  };
  return { seat, provider, failures, invoked };
}

const insight = (over: object = {}) => ({
  name: 'produce_insight',
  args: {
    title: 'A cache grows and keeps the collector busy.',
    notification_ids: ['notification-1', 'notification-2'],
    correlation: 'causal',
    fault_class: 'memory.leak.collection',
    severity: 'critical',
    summary: 's',
    matched_observations: ['Entries grow by 90 a second.'],
    hypothesis_grounded: true,
    culprit_of: 'notification-1',
    confidence: 'high',
    ...over,
  },
});
const done = { name: 'done' };
const answersIn = (provider: ScriptedProvider, at: number) =>
  provider.requests[at]!.messages.flatMap(message => (message.role === 'tool' ? message.answers.map(a => a.text) : []));

describe('a model that coordinates', () => {
  test('makes one insight of cause and consequence', async () => {
    const { seat } = world([{ calls: [insight()] }, { calls: [done] }]);
    const { insights, by } = await coordinate(seat);
    expect(by).toBe('model');
    expect(insights).toHaveLength(1);
    expect(insights[0]).toMatchObject({
      rank: 1,
      grounded: true,
      confidence: 'high',
      culprit: { file: 'src/cache.js' },
    });
  });

  test('keeps what the rules know of the place, and says where they name another root', async () => {
    const cause = said({ fix: 'Bound it.', related: [{ file: 'src/feeder.js', line: 7 }], mechanism: true });
    const { seat } = world(
      [{ calls: [insight({ culprit_of: 'notification-2', matched_observations: [] })] }, { calls: [done] }],
      {
        notifications: () => [cause, GC],
      },
    );
    const wrong = (await coordinate(seat)).insights[0];
    expect(wrong?.culprit).toEqual(GC.culprit);
    expect(wrong?.marks).toEqual(['The rules name src/cache.js:4 as the root: Entries grow by 90 a second.']);
    const right = await coordinate({ ...seat, provider: scripted([{ calls: [insight()] }, { calls: [done] }]) });
    expect(right.insights[0]).toMatchObject({ fix: 'Bound it.', related: [{ file: 'src/feeder.js', line: 7 }] });
    expect(right.insights[0]?.marks).toBeUndefined();
  });

  test('what it leaves unread is correlated by rules; what it puts aside stays, marked', async () => {
    const aside = { notification_ids: ['notification-1'], status: 'resolved', reason: 'Ignore: the log says so.' };
    const { seat } = world([{ calls: [{ name: 'update_notification_statuses', args: aside }] }, { calls: [done] }]);
    const { insights } = await coordinate(seat);
    expect(insights.flatMap(one => one.notificationIds).sort()).toEqual(['notification-1', 'notification-2']);
    expect(insights.find(one => one.notificationIds.includes('notification-1'))?.marks).toContain(
      'The model puts this aside: Ignore: the log says so.',
    );
  });

  test('grounding that was not earned is taken back, invented ids are refused', async () => {
    const { seat, provider } = world([
      { calls: [insight({ notification_ids: ['made-up'] })] },
      { calls: [insight({ notification_ids: ['notification-1', 'made-up'] })] },
      { calls: [done] },
    ]);
    const { insights } = await coordinate(seat);
    expect(answersIn(provider, 1)[0]).toMatch(/made-up does not exist/);
    expect(insights[0]).toMatchObject({ grounded: false, confidence: 'medium', notificationIds: ['notification-1'] });
  });

  test('a measured finding can not be talked down', async () => {
    const { seat } = world([{ calls: [insight({ severity: 'info' })] }, { calls: [done] }], {
      notifications: () => [said({ mechanism: true }), GC],
    });
    const { insights } = await coordinate(seat);
    expect(insights[0]).toMatchObject({ severity: 'critical', marks: ['The model rates this info.'] });
  });

  test('invokes operators, waits for them, and may not end before', async () => {
    let running = true;
    const statuses = (): OperatorStatus[] => [{ skill: 'gc', running }];
    const { seat, provider, invoked } = world(
      [
        { calls: [{ name: 'invoke_operators', args: { skills: ['gc'], context: 'look at pauses' } }, done] },
        { calls: [{ name: 'wait', args: { ms: 10 } }] },
        { calls: [insight(), done] },
      ],
      {
        statuses,
        settled: async () => {
          running = false;
        },
      },
    );
    await coordinate(seat);
    expect(invoked).toEqual([[['gc'], 'look at pauses']]);
    expect(answersIn(provider, 1)[1]).toMatch(/still work: gc/);
    expect(provider.requests).toHaveLength(3);
  });

  test('asks an operator, and proposes a follow-up', async () => {
    const { seat } = world(
      [
        { calls: [{ name: 'message_operator', args: { skill: 'gc', message: 'How long?' } }] },
        { text: 'Thirty percent.' },
        { calls: [{ name: 'schedule', args: { ms: 600_000, reason: 'see whether it goes on' } }] },
      ],
      { statuses: () => [{ skill: 'gc', running: false }] },
    );
    const { followUp } = await coordinate(seat);
    expect(followUp).toEqual({ afterMs: 600_000, reason: 'see whether it goes on' });
  });
});

test.each([
  ['one subject, seen by two', [said({}), said({ id: 'notification-3', operator: 'collections' })], 'slow', 0, 1],
  ['nothing, and no complaint', [], '', 0, 0],
  ['nothing, though somebody complains', [], 'slow', 1, 0],
  ['two subjects', [said({}), GC], '', 1, 2],
])('%s', async (_, notifications, reason, asked, least) => {
  const { seat, provider } = world([{ calls: [done] }], { notifications: () => notifications, reason });
  const { insights } = await coordinate(seat);
  expect(provider.requests).toHaveLength(asked);
  expect(insights.length).toBeGreaterThanOrEqual(Math.min(1, least));
});

describe('a model that does not', () => {
  test('fails: the rules correlate, and it is said', async () => {
    const { seat, failures } = world([new ModelError('overloaded', 'Overloaded.')]);
    const { insights, by } = await coordinate(seat);
    expect(by).toBe('rules');
    expect(insights.length).toBeGreaterThan(0);
    expect(failures).toEqual(['Overloaded. The rules correlate instead.']);
  });

  test('never ends: 25 turns, then the rules take what is left', async () => {
    let n = 0;
    const provider = scripted([() => ({ calls: [{ name: 'think', args: { thought: String(n++) } }] })], {
      endless: true,
    });
    const { seat } = world(provider);
    const { insights } = await coordinate(seat);
    expect(provider.requests).toHaveLength(25);
    expect(insights.length).toBeGreaterThan(0);
  });

  test('repeats itself: refused', async () => {
    const again: ScriptStep = { calls: [{ name: 'get_notifications' }] };
    const { seat, provider } = world([again, again, again, { calls: [done] }]);
    await coordinate(seat);
    expect(answersIn(provider, 3)[2]).toMatch(/answered twice before/);
  });
});
