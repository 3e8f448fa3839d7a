import { z } from 'zod';
import { sayMs, sayShare } from '../base/say.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import { longTasks } from './profile-queries.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;

/** A collection or a task this long is an event; shorter ones are the ordinary course of things. */
const LONG_MS = 100;

export const vmEvents = defineSkill({
  id: 'vm-events',
  title: 'VM events',
  description: 'Single long events of the virtual machine: collections, stalls',
  scope: 'Which long collections and stalls happened in the window. Draws no conclusion: gc, event-loop and heap do.',
  words: ['events', 'pause', 'pauses'],
  needs: { vitals },
  snapshot: given => given.vitals && numbersOf(given.vitals),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'vm_events',
      doc: 'Collections by kind with count, total and longest, and the longest delay of the loop, over 1 to 30 seconds.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(5) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('vitals', { seconds });
        return isUsable(reading)
          ? { ...numbersOf(reading.data), collections: reading.data.gc.map(gc => ({ ...gc })) }
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    longTasks,
  ],
  prompt: 'Only lists what happened; leave conclusions to gc, event-loop and heap.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  yield* see.snapshot();
  const reading = yield* see.ask('vitals', vitals.params);
  if (!isUsable(reading))
    return { outcome: 'inconclusive', summary: `The events could not be read: ${reading.reason ?? 'no reason'}.` };
  const { longestGcMs, longestDelayMs, gcShare } = numbersOf(reading.data);
  if (longestGcMs >= LONG_MS || longestDelayMs >= LONG_MS)
    yield* see.setState(
      'observing',
      `Longest collection ${sayMs(longestGcMs)}, longest delay of the loop ${sayMs(longestDelayMs)}.`,
    );
  return {
    outcome: 'healthy',
    summary: `Longest collection ${sayMs(longestGcMs)}, longest delay of the loop ${sayMs(longestDelayMs)}, ${sayShare(gcShare)} of the time in collections.`,
  };
}

function numbersOf(data: Vitals) {
  return {
    seconds: data.seconds,
    longestGcMs: Math.max(0, ...data.gc.map(gc => gc.maxMs)),
    longestDelayMs: data.loopDelay.maxMs,
    majorCollections: data.gc.find(gc => gc.kind === 'mark-compact')?.count ?? 0,
    gcShare: data.gcShare,
  };
}
