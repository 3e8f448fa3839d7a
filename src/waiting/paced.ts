import type { Finding } from './finding.js';
import type { WaitGroup } from './stuck.js';
import type { Wait, Waits } from './waits.js';

/** How a rate limiter keeps its queue: no list, but a timer for each that waits. */
export type Paced = NonNullable<Finding['paced']>;

/** With fewer no order is told from chance. */
const LEAST_TIMERS = 5;
/** A turn that comes within a second is a pause. */
const LEAST_WAIT_MS = 1000;
/** Each that comes is told to wait longer than the one before: so much of the time between them at least. */
const LEAST_SLOPE = 0.1;
/** Limiters that let several through at once give them one turn. */
const SAME_TURN_MS = 20;

/** Undefined unless each request at the group's place got a later turn than the one before, and a longer wait for it. */
export function pacedBy(group: WaitGroup, waits: Waits): Paced | undefined {
  const timers = waits.all
    .filter(wait => isTurn(wait, group))
    .map(({ at, detail }) => ({ at, ms: detail?.ms ?? 0 }))
    .sort((a, b) => a.at - b.at);
  const [first, last] = [timers[0], timers.at(-1)];
  if (!first || !last || timers.length < LEAST_TIMERS || first.ms < LEAST_WAIT_MS) return undefined;
  const isInOrder = timers.every((timer, i) => {
    const before = timers[i - 1];
    return !before || timer.at + timer.ms >= before.at + before.ms - SAME_TURN_MS;
  });
  const slope = (last.ms - first.ms) / Math.max(1, last.at - first.at);
  if (!isInOrder || slope < LEAST_SLOPE) return undefined;
  const everyMs = (last.at + last.ms - first.at - first.ms) / (timers.length - 1);
  return { everyMs: Math.round(everyMs), longestMs: Math.round(last.ms) };
}

const isTurn = ({ type, pending, request, user, frames }: Wait, group: WaitGroup): boolean =>
  type === 'Timeout' &&
  pending &&
  request > 0 &&
  user.some(({ url, line }) => url === group.user[0]?.url && line === group.user[0]?.line) &&
  frames.some(frame => frame.kind === 'user' || frame.kind === 'package');
