import type { InFlight, OutgoingInFlight } from '../model/evidence/in-flight.js';

/** A single call may be a long poll, and often is. */
const LEAST_CALLS = 2;
/** The longest long poll of the queues that many wait at lasts 20 s. */
export const UNANSWERED_MS = 21_000;

/**
 * Calls that have no answer and that no request waits for (any more: callers give up): those who made them do nothing
 * else. Most of them first.
 */
export function unanswered({ outgoing, routes }: InFlight): OutgoingInFlight | undefined {
  const served = routes.reduce((sum, { count }) => sum + count, 0);
  const oldestMs = Math.max(0, ...routes.map(({ heldMs }) => heldMs));
  return outgoing
    .filter(({ state, count, heldCount }) => state === 'no-answer' && heldCount === count)
    .filter(({ count, heldMs = 0 }) => isOwn(count, served) || (count >= LEAST_CALLS && heldMs > 2 * oldestMs))
    .sort((a, b) => b.count - a.count)[0];
}

const isOwn = (count: number, served: number): boolean => count >= LEAST_CALLS && count > served;

/** The same row at another moment. */
export const sameCall =
  (one: OutgoingInFlight) =>
  (other: OutgoingInFlight): boolean =>
    other.state === one.state && other.host === one.host && other.path === one.path && other.method === one.method;
