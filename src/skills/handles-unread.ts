import type { Counts, OtherGroup } from '../model/evidence/handles.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Suspect } from './handles-growth.js';

/** Of the children that are there so many must have a full pipe: others have only just begun. */
const UNREAD_SHARE = 0.5;
const LEAST = 2;

/** True for children that stay because nobody reads what they write, however many others come and go. */
const isHeldUp = ({ unread, counts }: OtherGroup): boolean =>
  (unread?.at(-1) ?? 0) >= Math.max(LEAST, UNREAD_SHARE * (counts.at(-1) ?? 0));

/** Those held up; undefined where children stay, if any do, for another reason. */
export const heldUp = (group: OtherGroup): Counts | undefined => (isHeldUp(group) ? group.unread : undefined);

/** Children that pile up because nobody reads what they write; nothing where they do for another reason. */
export function unreadChild({ kind, what, other }: Suspect): Partial<NotificationDraft> {
  if (kind !== 'child' || !other || !isHeldUp(other)) return {};
  return {
    title: `${what.charAt(0).toUpperCase()}${what.slice(1)} does not end, because nobody reads what it writes`,
    hypothesis: `The output of ${other.unread?.at(-1) ?? 0} of them fills its pipe: a child waits with its next write until somebody reads, and never comes to its end.`,
    fix: "Read the output (child.stdout.on('data', …) or resume()), or do not ask for it: stdio: ['ignore', 'ignore', 'pipe'].",
  };
}
