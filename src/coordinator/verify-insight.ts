import type { Evidence } from '../model/evidence/index.js';
import type { Insight } from '../model/insight.js';
import type { Notification } from '../model/notification.js';
import { divideHedged } from './hedging.js';
import { isUnproven } from './unproven.js';
import { LOWER, type Problem, verifyAnswer } from './verify.js';

type EvidenceById = ReadonlyMap<string, Evidence>;

export interface VerifiedInsight {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly insight: Insight;
}

/** Checks a conclusion: its notifications exist, and `grounded` is earned by two operators or a measured mechanism. */
export function verifyInsight(
  said: Insight,
  notifications: ReadonlyMap<string, Notification>,
  evidence: EvidenceById,
): VerifiedInsight {
  const supporting = said.notificationIds.flatMap(id => notifications.get(id) ?? []);
  const proven = supporting.filter(one => !isUnproven(one));
  const words = wordProblems(said, proven, evidence);
  const problems = [...missingSupport(said, notifications, evidence), ...ungrounded(said, supporting), ...words];
  const insight: Insight = {
    ...(words.length > 0 ? inWordsOf(proven.length > 0 ? proven : supporting, said) : said),
    notificationIds: supporting.map(notification => notification.id),
    evidenceIds: said.evidenceIds.filter(id => evidence.has(id)),
    matchedObservations: said.matchedObservations.filter(text => proven.some(n => n.observation.includes(text))),
    grounded: said.grounded && isGrounded(supporting),
  };
  const ok = supporting.length > 0;
  if (problems.length === 0) return { ok, problems, insight };
  const marks = [...(said.marks ?? []), ...problems.map(problem => problem.message)];
  return { ok, problems, insight: { ...insight, marks, confidence: LOWER[said.confidence] } };
}

function missingSupport(
  said: Insight,
  notifications: ReadonlyMap<string, Notification>,
  evidence: EvidenceById,
): Problem[] {
  const unread = said.evidenceIds.filter(id => !evidence.has(id));
  const unheard = said.notificationIds.filter(id => !notifications.has(id));
  return [
    ...unread.map<Problem>(id => ({ code: 'unknown-evidence', message: `Evidence ${id} does not exist.` })),
    ...unheard.map<Problem>(id => ({ code: 'unknown-notification', message: `Notification ${id} does not exist.` })),
  ];
}

function ungrounded(said: Insight, supporting: readonly Notification[]): Problem[] {
  if (!said.grounded || isGrounded(supporting)) return [];
  const message = 'Called grounded, but neither two operators nor a measured mechanism support it.';
  return [{ code: 'unearned-grounding', message }];
}

/** Two independent operators, or a measured mechanism, support the conclusion. */
export function isGrounded(supporting: readonly Notification[]): boolean {
  const operators = new Set(supporting.map(notification => notification.operator));
  return operators.size >= 2 || supporting.some(notification => notification.mechanism === true);
}

/** A conclusion's words are facts: their numbers and places were read or noticed, and nothing in them is a guess. */
function wordProblems(said: Insight, supporting: readonly Notification[], evidence: EvidenceById): Problem[] {
  const { guesses } = divideHedged(`${said.title}. ${said.summary}`);
  const hedged: Problem[] = guesses
    ? [{ code: 'hedged-fact', message: `Stated as fact, but a guess: "${guesses}"` }]
    : [];
  const text = [said.title, said.summary, said.rootCause, said.fix].join('\n');
  const heard = supporting.map(({ title, context, observation, hypothesis, fix, culprit, related, metrics }) => ({
    title,
    context,
    observation,
    hypothesis,
    fix,
    culprit,
    related,
    metrics,
  }));
  return [...hedged, ...verifyAnswer(text, evidence, heard)];
}

/** What code can't confirm is not repeated: the notifications' own words stand in its place. */
function inWordsOf([best, ...more]: readonly Notification[], said: Insight): Insight {
  if (!best) return said;
  const { rootCause: _, fix: __, ...rest } = said;
  const fix = best.fix ?? more.find(one => one.fix)?.fix;
  return {
    ...rest,
    title: best.title ?? best.observation,
    summary: [best, ...more].map(one => one.observation).join(' '),
    ...(best.hypothesis && { rootCause: best.hypothesis }),
    ...(fix && { fix }),
  };
}
