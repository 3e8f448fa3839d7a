import { expect, test } from 'vitest';
import type { Collector } from '../../src/collectors/collector.js';
import { guard } from '../../src/collectors/guard.js';
import { guardedProbe } from '../../src/collectors/probe.js';
import type { Session } from '../../src/inspector/session.js';
import type { EventBody } from '../../src/model/event.js';
import type { EvidenceKind } from '../../src/model/evidence/index.js';

const MB = 1024 * 1024;
// The collectors below never touch the session; only whether it is lost matters to the probe.
const session = { lost: new AbortController().signal } as unknown as Session;

function probeOver(collector: Partial<Collector>, { safety = 'normal' as const, availableBytes = 1000 * MB } = {}) {
  const events: EventBody[] = [];
  let clock = 0;
  let taken = 0;
  const whole: Collector = {
    kind: 'threadpool',
    title: 'The reading',
    cost: 'light',
    collect: async () => {
      taken++;
      return { data: { seconds: 1 } as never };
    },
    ...collector,
  };
  const probe = guardedProbe({
    session,
    collectors: new Map<EvidenceKind, Collector>([['threadpool', whole]]),
    guard: guard(safety, 1500),
    basis: async () => ({ heapUsedBytes: 100 * MB, availableBytes }),
    now: () => clock,
    newId: prefix => `${prefix}-${taken}`,
    sleep: async () => {},
    signal: new AbortController().signal,
    emit: event => events.push(event),
    keep: () => ({}),
    cpuMs: () => undefined,
  });
  return { probe, events, taken: () => taken, pass: (ms: number) => (clock += ms) };
}

test('two who ask at once share one reading, and a fresh answer is reused', async () => {
  const { probe, taken, pass } = probeOver({});
  const [a, b] = await Promise.all([probe.ask('threadpool', {}), probe.ask('threadpool', {})]);
  expect(a.id).toBe(b.id);
  pass(1000);
  await probe.ask('threadpool', {});
  expect(taken()).toBe(1);
  pass(5000);
  await probe.ask('threadpool', {});
  expect(taken()).toBe(2);
});

test('who asks for a new one gets a new one, however soon after the last, and shares one under way', async () => {
  const { probe, taken } = probeOver({});
  const anew = () => probe.ask('threadpool', {}, { freshMs: 0 });
  await Promise.all([anew(), anew()]);
  expect(taken()).toBe(1);
  await anew();
  expect(taken()).toBe(2);
});

test('a reading that would stop the target too long is refused with a reason, and never taken', async () => {
  const { probe, taken, events } = probeOver({ cost: 'pausing', estimate: () => ({ pauseMs: 4000, memoryBytes: 0 }) });
  const evidence = await probe.ask('threadpool', {});
  expect(evidence).toMatchObject({ status: 'refused', pausedMs: 0 });
  expect(evidence.reason).toContain('4.0 s');
  expect(taken()).toBe(0);
  expect(events.at(-1)).toMatchObject({ type: 'evidence.collected', status: 'refused' });
});

test('a reading that needs more memory than half of what is left is refused', async () => {
  const estimate = () => ({ pauseMs: 10, memoryBytes: 600 * MB });
  const { probe } = probeOver({ cost: 'pausing', estimate });
  expect((await probe.ask('threadpool', {})).reason).toContain('memory limit');
});

test('a heavy reading needs --safety bold', async () => {
  const { probe } = probeOver({ cost: 'heavy', estimate: () => ({ pauseMs: 10, memoryBytes: MB }) });
  expect((await probe.ask('threadpool', {})).reason).toContain('--safety bold');
});

test('a collector that breaks gives evidence that says why, not an exception', async () => {
  const { probe } = probeOver({
    collect: async () => {
      throw new Error('the target would not say');
    },
  });
  expect(await probe.ask('threadpool', {})).toMatchObject({
    status: 'unavailable',
    reason: 'the target would not say',
  });
});

test('a kind without a collector is unavailable', async () => {
  const { probe } = probeOver({});
  expect((await probe.ask('host', {})).status).toBe('unavailable');
});
