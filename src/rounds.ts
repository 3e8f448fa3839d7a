import type { OperatorStatus } from './coordinator/investigate.js';
import type { Mind } from './mind.js';
import type { Evidence } from './model/evidence/index.js';
import type { Insight } from './model/insight.js';
import type { Notification } from './model/notification.js';
import type { OperatorResult } from './model/report.js';
import type { Skill } from './model/skill.js';
import type { TargetInfo } from './model/target.js';

/** What the rounds of a model coordinator stand on: what the first operators found, and how to start more. */
export interface RoundsSeat {
  readonly target: TargetInfo;
  readonly reason: string;
  readonly signal: AbortSignal;
  readonly skills: readonly Skill[];
  readonly results: readonly OperatorResult[];
  readonly evidence: ReadonlyMap<string, Evidence>;
  readonly notifications: () => readonly Notification[];
  readonly newId: (prefix: string) => string;
  readonly sleep: (ms: number, until: AbortSignal) => Promise<void>;
  readonly operate: (skill: Skill, reason: string) => Promise<OperatorResult | undefined>;
}

/** Lets a model correlate, and start operators again with what it wants to know; the insights are ranked. */
export async function rounds(mind: Mind, seat: RoundsSeat): Promise<readonly Insight[]> {
  const done = new Map(seat.results.map(result => [result.skill, result]));
  const running = new Map<string, Promise<void>>();

  function invoke(ids: readonly string[], context: string): void {
    for (const skill of seat.skills.filter(({ id }) => ids.includes(id) && !running.has(id))) {
      const ended = seat.operate(skill, context || seat.reason).then(result => {
        if (result) done.set(skill.id, result);
        running.delete(skill.id);
      });
      running.set(skill.id, ended);
    }
  }

  const statuses = (): OperatorStatus[] => [
    ...[...running.keys()].map(skill => ({ skill, running: true })),
    ...[...done].filter(([skill]) => !running.has(skill)).map(([skill, result]) => ({ skill, running: false, result })),
  ];

  const { insights } = await mind.coordinate({
    target: seat.target,
    reason: seat.reason,
    signal: seat.signal,
    newId: seat.newId,
    sleep: seat.sleep,
    evidence: () => seat.evidence,
    notifications: seat.notifications,
    skills: seat.skills,
    statuses,
    invoke,
    settled: () => (running.size > 0 ? Promise.race(running.values()) : Promise.resolve()),
  });
  return insights;
}
