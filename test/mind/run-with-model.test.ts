import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Redactor } from '../../src/base/redact.js';
import { sleep } from '../../src/base/sleep.js';
import type { ModelRequest } from '../../src/llm/provider.js';
import { type ScriptedProvider, type ScriptStep, scripted } from '../../src/llm/scripted.js';
import { mindOver } from '../../src/mind.js';
import type { EventBody, LensEvent } from '../../src/model/event.js';
import { initialState, reduce } from '../../src/report/state.js';
import { investigate } from '../../src/run.js';
import { closeSandbox } from '../../src/sandbox/worker-pool.js';
import { skills } from '../../src/skills/index.js';
import { type Launched, launch } from '../launch.js';

const BUSY = `
const kept = [];
setInterval(() => { if (kept.length < 50) kept.push(Buffer.alloc(1000)); }, 20);
console.log('ready');
`;

let target: Launched;
beforeAll(async () => {
  target = await launch(BUSY);
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await closeSandbox();
});

/** A real run of one real skill over a real process, with a scripted mind. */
async function run(provider: ScriptedProvider, deadlineMs = 60_000) {
  const events: EventBody[] = [];
  let state = initialState;
  let ids = 0;
  const emit = (body: EventBody) => {
    events.push(body);
    const event: LensEvent = { at: Date.now(), runId: 'r', traceId: 't', ...body };
    state = reduce(state, event);
  };
  const redactor = new Redactor();
  const mind = mindOver('scripted-1', { now: Date.now, sleep, random: Math.random, emit, redactor }, () => provider);
  const report = await investigate(
    { pid: target.pid },
    { reason: 'memory', skills, only: ['runtime'], safety: 'normal', maxPauseMs: 1500 },
    {
      now: Date.now,
      newId: prefix => `${prefix}-${++ids}`,
      traceId: 't',
      version: 'test',
      emit,
      state: () => state,
      keep: () => ({}),
      sleep,
      interrupt: AbortSignal.timeout(deadlineMs),
      mind,
    },
  );
  return { report, events };
}

const isCoordinator = (request: ModelRequest) => request.system.startsWith('You coordinate');
const opening = (request: ModelRequest) => (request.messages[0] as { text: string }).text;
/** What the operator's last script answered. */
const answered = (request: ModelRequest) => {
  const last = request.messages.at(-1);
  return last?.role === 'tool' ? last.answers[0]!.text : '';
};

describe('a run with a model', () => {
  test('a competent one: read, computed, noticed, correlated, all of it checked', async () => {
    const competent = (request: ModelRequest): ScriptStep => {
      const turn = request.messages.length;
      if (isCoordinator(request)) {
        const ids = [...new Set(opening(request).match(/notification-\d+/g))];
        if (turn > 1) return { calls: [{ name: 'done' }] };
        return {
          calls: [
            {
              name: 'produce_insight',
              args: {
                title: 'The process is small.',
                notification_ids: ids,
                correlation: 'symptomatic',
                fault_class: 'memory.near-limit',
                severity: 'warning',
                summary: 's',
                matched_observations: [],
                hypothesis_grounded: true,
                confidence: 'high',
              },
            },
          ],
        };
      }
      const vitals = /\b(vitals-\d+)/.exec(opening(request))?.[1];
      const code = `const last = await reading({ id: '${vitals}', path: 'samples.0' }); Math.round(last.rssBytes / 1e5) / 10`;
      if (turn === 1) return { calls: [{ name: 'execute', args: { code } }] };
      if (turn > 3) return { calls: [{ name: 'done', args: { outcome: 'found', summary: 'It is small.' } }] };
      const megabytes = /[\d.]+/.exec(answered(request))?.[0];
      const said = (fault_class: string) => ({
        name: 'send_notification',
        args: {
          title: 'The process is small.',
          fault_class,
          severity: 'warning',
          context: 'One window.',
          observation: `It holds ${megabytes} MB (${fault_class}).`,
          snapshot_ids: [],
          evidence_ids: [vitals ?? ''],
        },
      });
      return { calls: [said('memory.near-limit'), said('memory.native')] };
    };
    const { report, events } = await run(scripted([competent], { endless: true }));
    const mine = { author: 'model', operator: 'runtime' };
    expect(report.notifications).toMatchObject([mine, mine]);
    // Its words held; but nothing that the rules measured supports the alarm.
    expect(report.notifications[0]?.marks).toEqual([
      expect.stringMatching(/^The rules of this skill saw it otherwise/),
    ]);
    // One operator and no mechanism: grounding was claimed, and is not earned.
    const earned = { grounded: false, confidence: 'medium', severity: 'info' };
    expect(report.insights).toMatchObject([{ title: 'The process is small.', ...earned }]);
    expect(report.verdict).toBe('observing');
    expect(report.run.planner).toBe('model');
    expect(report.detached).toEqual({ inspectorClosed: true, residue: [] });
    expect(events.filter(event => event.type === 'operator.called').map(event => event.tool)).toContain('execute');
  });

  test('a hostile one: invents, obeys the log, never stops; the report stays true and the target untouched', async () => {
    let n = 0;
    const hostile = (request: ModelRequest): ScriptStep => {
      n++;
      if (request.toolChoice === 'none') return { text: 'found: 99999 leaks in src/evil.js!' };
      return {
        calls: [
          { name: 'execute', args: { code: `for (let i = ${n}; ; ) { globalThis.process.kill(1) }` } },
          { name: 'kill_process', args: { pid: n } },
          { name: 'wait', args: { ms: -n } },
          {
            name: 'send_notification',
            args: {
              title: `Lie ${n}`,
              type: 'lie',
              fault_class: 'memory.leak.collection',
              severity: 'critical',
              context: 'All.',
              observation: `It leaks ${n * 12_345_677} objects.`,
              culprit: { file: 'src/evil.js', line: 1 },
              snapshot_ids: ['snapshot-77'],
              evidence_ids: ['made-up-1'],
            },
          },
        ],
      };
    };
    const { report } = await run(scripted([hostile], { endless: true }));
    expect(report.notifications).toEqual([]);
    expect(report.insights).toEqual([]);
    expect(JSON.stringify(report)).not.toContain('evil.js');
    expect(report.operators).toMatchObject([{ skill: 'runtime', outcome: 'healthy', incomplete: false }]);
    expect(report.verdict).toBe('healthy');
    expect(report.detached).toEqual({ inspectorClosed: true, residue: [] });
    expect(target.child.exitCode).toBeNull();
  });

  test('a silent one: the deadline ends the run, the rules conclude', async () => {
    const provider: ScriptedProvider = {
      ...scripted([]),
      complete: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const { report } = await run(provider, 9000);
    expect(report.operators).toMatchObject([{ skill: 'runtime', outcome: 'healthy' }]);
    expect(report.detached.inspectorClosed).toBe(true);
  });
});
