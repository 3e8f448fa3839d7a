import { expect, test } from 'vitest';
import type { EventBody } from '../../src/model/event.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { Notification, NotificationDraft } from '../../src/model/notification.js';
import type { Probe } from '../../src/model/probe.js';
import { defineSkill, type Playbook } from '../../src/model/skill.js';
import { Operator, type OperatorEnv } from '../../src/operators/operator.js';
import { rulePlanner } from '../../src/operators/rule-planner.js';

const target = { pid: 1, nodeVersion: 'v20.0.0', command: 'node app.js', cwd: '/app', platform: 'linux' };

const draft: NotificationDraft = {
  anomalyType: 'growth',
  faultClass: 'memory.leak.collection',
  severity: 'warning',
  context: 'Over 20 s.',
  observation: '`sessions` grew by 10 entries.',
  metrics: [],
  evidenceIds: [],
};

function world(answer: Partial<Evidence> = {}) {
  const events: EventBody[] = [];
  const blackboard: Notification[] = [];
  let ids = 0;
  const probe: Probe = {
    ask: async kind =>
      ({
        id: `${kind}-1`,
        kind,
        takenAt: 0,
        pausedMs: 0,
        costMs: 0,
        status: 'ok',
        data: { seconds: 5 },
        ...answer,
      }) as never,
  };
  const controller = new AbortController();
  const env: OperatorEnv = {
    target,
    reason: '',
    urgent: false,
    probe,
    emit: event => events.push(event),
    now: () => 0,
    newId: prefix => `${prefix}-${++ids}`,
    traceId: 't',
    signal: controller.signal,
    sleep: async () => {},
    blackboard,
  };
  return { env, events, blackboard, controller };
}

function operatorOf(playbook: Playbook, env: OperatorEnv): Operator {
  const skill = defineSkill({
    id: 'probe',
    title: '',
    description: '',
    scope: '',
    words: [],
    prompt: '',
    queries: [],
    rules: [],
    needs: { threadpool: { kind: 'threadpool', params: {} } },
    snapshot: ({ threadpool }) => (threadpool ? { seconds: 5 } : undefined),
    playbook,
  });
  let operator: Operator | undefined;
  const seat = { target, reason: '', urgent: false, evidenceIds: () => operator?.evidenceIds ?? [] };
  operator = new Operator(skill, rulePlanner(skill, seat), env);
  return operator;
}

test('a playbook that looks, notifies and concludes becomes a result with its notification', async () => {
  const { env, blackboard } = world();
  const result = await operatorOf(async function* (see) {
    const reading = yield* see.ask('threadpool', {});
    yield* see.setState('warning', 'it grew');
    yield* see.notify({ ...draft, evidenceIds: [reading.id] });
    return { outcome: 'found', summary: 'It grew.' };
  }, env).run();
  expect(result).toMatchObject({
    skill: 'probe',
    state: 'warning',
    outcome: 'found',
    incomplete: false,
    summary: 'It grew.',
  });
  expect(blackboard.map(n => n.operator)).toEqual(['probe']);
});

test('a notification that stands on nothing is refused, and the refusal is an event', async () => {
  const { env, events, blackboard } = world();
  const run = operatorOf(async function* (see) {
    yield* see.notify(draft);
    return { outcome: 'found', summary: '' };
  }, env).run();
  await expect(run).rejects.toThrow(/needs a snapshot or a reading that exists/);
  expect(blackboard).toEqual([]);
  expect(events.some(event => event.type === 'operator.refused')).toBe(true);
});

test('a notification that cites evidence nobody collected is refused by its id', async () => {
  const { env } = world();
  const run = operatorOf(async function* (see) {
    yield* see.notify({ ...draft, evidenceIds: ['vitals-99'] });
    return { outcome: 'found', summary: '' };
  }, env).run();
  await expect(run).rejects.toThrow(/vitals-99/);
});

test('a refused reading is not evidence: a snapshot of it is "not enough to say"', async () => {
  const { env, events } = world({ status: 'refused', reason: 'too dear', data: undefined });
  const result = await operatorOf(async function* (see) {
    const snapshot = yield* see.snapshot();
    return { outcome: 'inconclusive', summary: snapshot ? 'seen' : 'not seen' };
  }, env).run();
  expect(result.summary).toBe('not seen');
  expect(events.some(event => event.type === 'snapshot.taken')).toBe(false);
});

test('an interrupted operator is incomplete and says what it last knew', async () => {
  const { env, controller } = world();
  const result = await operatorOf(async function* (see) {
    yield* see.setState('observing', 'something moves');
    controller.abort(new Error('the deadline has passed'));
    yield* see.think('never performed');
    return { outcome: 'healthy', summary: 'never reached' };
  }, env).run();
  expect(result).toMatchObject({ incomplete: true, outcome: 'inconclusive', state: 'observing' });
  expect(result.summary).toContain('something moves');
});

test('the same finding twice is one notification', async () => {
  const { env, blackboard } = world();
  await operatorOf(async function* (see) {
    const { id } = yield* see.ask('threadpool', {});
    yield* see.notify({ ...draft, evidenceIds: [id] });
    yield* see.notify({ ...draft, evidenceIds: [id] });
    return { outcome: 'found', summary: '' };
  }, env).run();
  expect(blackboard).toHaveLength(1);
});
