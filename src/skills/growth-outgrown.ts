import { sayBytes, sayCount } from '../base/say.js';
import type { Rest } from '../heap/growth/verdict.js';
import type { GrowingContainer } from '../model/evidence/collection-growth.js';
import type { Vitals } from '../model/evidence/vitals.js';

/** Buffers lie outside of V8's heap and its limit: a bound that lets them be more than this was made for smaller entries, in bytes. */
const MOST_OUTSIDE = 1_500_000_000;
/** One entry stands for all: of those that come later some are smaller. */
const BEYOND = 1.5;

/** What is wrong with a bound on entries that memory is full before; undefined for one that holds. */
export function outgrown({ at }: Rest, { entry }: GrowingContainer, vitals: Vitals | undefined): string | undefined {
  const limit = vitals?.samples.at(-1)?.heapLimitBytes ?? Number.POSITIVE_INFINITY;
  const most = Math.min(MOST_OUTSIDE, vitals?.memoryLimitBytes ?? MOST_OUTSIDE);
  const outside = (at ?? 0) * entry.externalBytes;
  const inside = (at ?? 0) * (entry.bytes - entry.externalBytes);
  if (at === undefined || (inside < BEYOND * limit && outside < most)) return undefined;
  const end = inside < BEYOND * limit ? '' : `, and V8's heap ends at ${sayBytes(limit)}`;
  return `Its bound of ${sayCount(at)} entries holds nothing: of this size they are ${sayBytes(inside + outside)}${end}.`;
}
