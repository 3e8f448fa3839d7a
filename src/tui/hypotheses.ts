import type { Notification } from '../model/notification.js';
import type { RunState } from '../report/state.js';

export interface Hypothesis {
  readonly text: string;
  readonly operator: string;
  readonly state: 'open' | 'supported' | 'refuted';
  /** Why it is in that state, in a sentence; empty while open. */
  readonly why: string;
}

/** Every guess of the run and what became of it: a cause rests on it, verification dropped it, or nothing yet. */
export function hypothesesOf(run: RunState): readonly Hypothesis[] {
  const seen = new Set<string>();
  return run.notifications.flatMap(said => {
    if (said.hypothesis === undefined || seen.has(said.hypothesis)) return [];
    seen.add(said.hypothesis);
    return [judged(said, said.hypothesis, run)];
  });
}

function judged(said: Notification, text: string, run: RunState): Hypothesis {
  const mine = { text, operator: said.operator };
  const dropped = run.failures.some(f => f.message === `dropped: ${said.observation}`);
  if (dropped) return { ...mine, state: 'refuted', why: 'what it rests on could not be verified' };
  const cause = run.insights.find(i => i.notificationIds.includes(said.id));
  if (!cause) return { ...mine, state: 'open', why: run.report ? 'no cause rests on it' : '' };
  const doubt = cause.marks?.[0];
  if (doubt !== undefined) return { ...mine, state: 'open', why: doubt };
  return { ...mine, state: 'supported', why: `${cause.evidenceIds.join(', ')} (confidence ${cause.confidence})` };
}
