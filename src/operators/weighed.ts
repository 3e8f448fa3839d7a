import type { NotificationDraft } from '../model/notification.js';
import { type HealthState, SEVERITIES, type Severity } from '../model/severity.js';
import type { Conclusion } from '../model/skill.js';

/** Lines this near in one file are one place. */
const SAME_PLACE_LINES = 3;

/**
 * A model's claim beside what the rules of its skill measured. It may deepen that and dissent from it, but alone it can't
 * be louder: the words of the target may be what made it speak.
 */
export function weighed(
  draft: NotificationDraft,
  ruled: (Conclusion & { readonly state: HealthState }) | undefined,
  measured: readonly NotificationDraft[],
): NotificationDraft {
  const same = measured.filter(one => isSame(one, draft));
  if (!ruled || draft.severity === 'info') return draft;
  if (same.length > 0) return atMost(draft, loudest(same), `The model rates this ${draft.severity}.`);
  if (ruled.state === 'healthy' && (ruled.outcome === 'healthy' || ruled.outcome === 'not-applicable'))
    return atMost(draft, 'info', `The rules of this skill saw it otherwise: ${ruled.summary}`);
  const confidence = draft.confidence === 'high' ? 'medium' : 'low';
  return { ...atMost(draft, 'warning', ''), confidence, marks: [...(draft.marks ?? []), ALONE] };
}

const ALONE = 'Only the model says this: no rule measured it.';

function atMost(draft: NotificationDraft, most: Severity, why: string): NotificationDraft {
  if (SEVERITIES.indexOf(draft.severity) <= SEVERITIES.indexOf(most)) return draft;
  return { ...draft, severity: most, marks: [...(draft.marks ?? []), ...(why ? [why] : [])] };
}

const loudest = (drafts: readonly NotificationDraft[]): Severity =>
  SEVERITIES.findLast(severity => drafts.some(one => one.severity === severity)) ?? 'info';

function isSame(one: NotificationDraft, other: NotificationDraft): boolean {
  if (one.faultClass === other.faultClass) return true;
  const [mine, theirs] = [one.culprit, other.culprit];
  return mine !== undefined && mine.file === theirs?.file && Math.abs(mine.line - theirs.line) <= SAME_PLACE_LINES;
}
