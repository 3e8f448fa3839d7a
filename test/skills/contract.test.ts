import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Evidence, EvidenceKind } from '../../src/model/evidence/index.js';
import type { Probe } from '../../src/model/probe.js';
import type { Skill } from '../../src/model/skill.js';
import type { TargetInfo } from '../../src/model/target.js';
import { baseQueries } from '../../src/operators/base-queries.js';
import { Operator, type OperatorEnv } from '../../src/operators/operator.js';
import { rulePlanner } from '../../src/operators/rule-planner.js';
import { skills } from '../../src/skills/index.js';

const TARGET: TargetInfo = { pid: 7, nodeVersion: 'v22.1.0', command: 'node a.js', cwd: '/srv', platform: 'linux' };
const REASON = 'the target said nothing';

/** A target that gives no reading at all: each is answered, as the guard answers, with a reason. */
function mute(status: 'unavailable' | 'refused'): Probe & { readonly asked: EvidenceKind[] } {
  const asked: EvidenceKind[] = [];
  return {
    asked,
    async ask(kind) {
      asked.push(kind);
      const evidence: Evidence = {
        ...{ id: `${kind}-${asked.length}`, kind, takenAt: 0, pausedMs: 0, costMs: 0, status, reason: REASON },
        data: undefined,
      };
      return evidence as never; // a reading without data fits every kind
    },
  };
}

async function operate(skill: Skill, probe: Probe, urgent: boolean) {
  let ids = 0;
  const rules = rulePlanner(skill, { target: TARGET, reason: '', urgent, evidenceIds: () => [] });
  const env: OperatorEnv = {
    ...{ target: TARGET, reason: '', urgent, probe, traceId: 't', blackboard: [] },
    now: () => 0,
    newId: prefix => `${prefix}-${++ids}`,
    emit: () => {},
    signal: new AbortController().signal,
    sleep: async () => {},
  };
  const result = await new Operator(skill, rules, env).run();
  return { result, said: env.blackboard };
}

const baseNames = baseQueries({ target: TARGET, now: () => 0, evidence: () => new Map() }).map(query => query.name);
const documented = skills.flatMap(skill => skill.queries.map(query => [skill.id, query] as const));

test('ids of skills are unique, and every one of the design is there', () => {
  const ids = skills.map(skill => skill.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(
    [
      ...['runtime', 'heap', 'collections', 'allocator', 'gc', 'cpu', 'event-loop', 'threadpool', 'async', 'handles'],
      ...['network', 'http', 'database', 'overload', 'logs', 'exceptions', 'workers', 'vm-events', 'tracer', 'system'],
      'anomaly',
    ].sort(),
  );
});

describe.each(skills.map(skill => [skill.id, skill] as const))('%s', (_, skill) => {
  test('says what it is, what it covers, and which words point at it', () => {
    expect(skill.title).toMatch(/^[A-Z]/);
    for (const text of [skill.description, skill.scope, skill.prompt]) expect(text.length).toBeGreaterThan(5);
    expect(skill.words.length).toBeGreaterThan(0);
    expect(skill.words.every(word => word === word.toLowerCase())).toBe(true);
    expect(skill.queries.length).toBeGreaterThan(0);
  });

  test('makes no snapshot of nothing', () => {
    const nothing = Object.fromEntries(Object.keys(skill.needs).map(name => [name, undefined]));
    if (Object.keys(nothing).length > 0) expect(skill.snapshot(nothing)).toBeUndefined();
  });

  test.each(['unavailable', 'refused'] as const)(
    'a target whose readings are %s is never called healthy',
    async status => {
      for (const urgent of [false, true]) {
        const { result, said } = await operate(skill, mute(status), urgent);
        expect(['inconclusive', 'not-applicable']).toContain(result.outcome);
        expect(result.summary.length).toBeGreaterThan(10);
        expect(said).toEqual([]);
      }
    },
  );
});

describe.each(documented)('query of %s', (_, query) => {
  test(`${query.name} has a name of its own, a sentence, and a schema of one object`, () => {
    expect(query.name).toMatch(/^[a-z][A-Za-z0-9_]+$/);
    expect(baseNames).not.toContain(query.name);
    expect(query.doc).toMatch(/^[A-Z`].*[.?]$/s);
    expect(z.toJSONSchema(query.params, { io: 'input' })).toMatchObject({ type: 'object' });
  });

  test(`${query.name} answers with the reason where nothing can be read`, async () => {
    const probe = mute('unavailable');
    const given = query.params.safeParse({});
    // A query that must be told something is not asked here; its schema says what.
    if (!given.success) return expect(given.error.issues.length).toBeGreaterThan(0);
    const answer = await query.run(given.data, probe);
    expect(probe.asked.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer)).toContain(REASON);
  });
});
