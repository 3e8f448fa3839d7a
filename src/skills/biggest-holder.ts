import { sayBytes, sayCount, sayShare } from '../base/say.js';
import { resting } from '../heap/growth/suspects.js';
import { isUsable } from '../model/evidence/index.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { placeGrowth } from './growth-place.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import { at } from './leak-draft.js';

/** With less of the live heap nobody is the holder: sizes are an entry's times the number of entries. */
const HOLDER_SHARE = 0.25;

type Told = Pick<NotificationDraft, 'evidenceIds' | 'observation' | 'culprit'>;

/** The collection that fills a heap which need not grow; undefined where none holds much of it. */
export async function* biggestHolder(see: OperatorView, liveBytes: number): Step<Told | undefined> {
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  const [top] = isUsable(growth) ? growth.data.biggest : [];
  if (!isUsable(growth) || !top || top.bytes < HOLDER_SHARE * liveBytes) return undefined;
  const suspect = resting(top);
  const { culprit, declared } = yield* placeGrowth(see, suspect, growth.data.applicationScripts);
  const share = Math.min(1, top.bytes / liveBytes);
  return {
    evidenceIds: [growth.id],
    observation: `\`${suspect.holder.text}\`${at(declared)} holds some ${sayShare(share)} of it: ${sayCount(top.size)} entries of ${sayBytes(top.bytes / Math.max(1, top.size))}.`,
    ...(culprit && { culprit }),
  };
}
