import type { CreatorFrame, Handles, TimerGroup } from '../model/evidence/handles.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Lines, rearmingLines } from '../source/rearming.js';
import { rearmedSuspect, type Suspect } from './handles-growth.js';
import { sourceOf } from './place.js';

/** Texts read for it; the largest groups come first. */
const MOST_GROUPS = 4;

/** One-shot timers that start themselves again: like intervals, each is for ever, so that more and more of them are a leak. */
export async function* rearmedIn(see: OperatorView, data: Handles, least?: number): Step<Suspect[]> {
  const found: Suspect[] = [];
  const groups = data.timers
    .filter(({ repeat }) => !repeat)
    .map(group => ({ group, suspect: rearmedSuspect(data, group, least) }));
  for (const { group, suspect } of groups.filter(one => one.suspect !== undefined).slice(0, MOST_GROUPS)) {
    const lines = yield* linesOf(see, group);
    if (lines && suspect) found.push({ ...suspect, rearmedBy: { scriptId: group.callback?.scriptId ?? '', ...lines } });
  }
  return found;
}

async function* linesOf(see: OperatorView, { callback }: TimerGroup): Step<Lines | undefined> {
  const script = callback && (yield* sourceOf(see, callback.scriptId));
  return script && rearmingLines(script.text, { line0: callback.line, column0: callback.column });
}

/** The callback that starts itself again is on the stack: not where a further one came from. */
export const isRearming = ({ rearmedBy }: Suspect, frames: readonly CreatorFrame[]): boolean =>
  rearmedBy !== undefined &&
  frames.some(
    ({ scriptId, line }) => scriptId === rearmedBy.scriptId && rearmedBy.from0 <= line && line <= rearmedBy.to0,
  );
